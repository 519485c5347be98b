/** Routes and rules of an instance, and what is held whatever the roles are, for a person. Pure. */
import type { RoutingStatus, StaticStatus } from "../vrrp/status.ts";
import type { Paint } from "./paint.ts";
import { aligned } from "./render-rows.ts";

type Row = [label: string, text: string];

export function routingRows(
  label: "route" | "rule",
  entries: readonly RoutingStatus[],
  expected: boolean,
  paint: Paint,
): Row[] {
  const width = Math.max(0, ...entries.map(({ text }) => text.length));
  return entries.map(({ text, present, foreign, error }) => {
    const line = `${text.padEnd(width)}  ${standing(present, foreign, expected)}${error === null ? "" : `: ${error}`}`;
    return [label, present === expected || (foreign && !expected) ? line : paint("red", line)];
  });
}

function standing(present: boolean, foreign: boolean, expected: boolean): string {
  if (foreign) return "present, put there by somebody else";
  if (present) return expected ? "present" : "present, but not ours to hold now";
  return expected ? "MISSING" : "absent";
}

export function renderStatics({ addresses, routes, rules }: StaticStatus, paint: Paint): string[] {
  const width = Math.max(0, ...addresses.map(({ address }) => address.length));
  const rows: Row[] = [
    ...addresses.map(({ address, device, present, lease_s }): Row => {
      const lease = present && lease_s !== null ? `, lease ${lease_s} s` : "";
      const line = `${address.padEnd(width)}  ${device}  ${present ? "present" : "MISSING"}${lease}`;
      return ["address", present ? line : paint("red", line)];
    }),
    ...routingRows("route", routes, true, paint),
    ...routingRows("rule", rules, true, paint),
  ];
  return rows.length === 0 ? [] : [paint("bold", "static"), ...aligned(rows, paint)];
}
