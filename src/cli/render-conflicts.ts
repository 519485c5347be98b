/** Other routers that were active and other hosts that have the addresses, for a person. Pure. */
import type { InstanceStatus } from "../vrrp/status.ts";
import type { Paint } from "./paint.ts";
import { times } from "./render-counts.ts";
import { formatDuration, formatMoment } from "./render-time.ts";

const endings = {
  ongoing: "it goes on",
  kept: "this router stayed",
  lost: "this router gave way",
  left: "this router left the role",
};

/** The last split brain and the last duplicates of addresses, as labelled lines. */
export function conflicts(instance: InstanceStatus, now: Date, paint: Paint): [string, string][] {
  return [...splitBrain(instance, now, paint), ...duplicates(instance, now, paint)];
}

/** What goes on now, in a few words. */
export function ongoingConflict({ split_brains }: InstanceStatus): string | undefined {
  const last = split_brains.at(-1);
  if (last === undefined || last.ended !== null) return undefined;
  return `two active: ${last.rivals.map(({ address }) => address).join(", ")} beside this one`;
}

function splitBrain({ split_brains }: InstanceStatus, now: Date, paint: Paint): [string, string][] {
  const last = split_brains.at(-1);
  if (last === undefined) return [];
  const others = last.rivals.map(
    ({ address, priority, adverts }) => `${address} (priority ${priority}, heard ${times(adverts)})`,
  );
  const most = last.outcome === "lost" ? "at most " : "";
  const since = `since ${formatMoment(new Date(last.began), now)} for ${most}${formatDuration(last.duration_ms)}`;
  const text = `two active, ${since}: ${others.join(", ")}; ${endings[last.outcome]}`;
  return [["conflict", paint(last.ended === null ? "red" : "yellow", text)]];
}

const shownDuplicates = 3;

function duplicates({ duplicates: all }: InstanceStatus, now: Date, paint: Paint): [string, string][] {
  const rows = all.slice(-shownDuplicates).map(({ address, mac, interface: device, last, count, relieved }) => {
    const who = relieved ? ", the router that was relieved," : "";
    const when = formatMoment(new Date(last), now);
    return `${address} is claimed by ${mac}${who} on ${device}, seen ${times(count)}, last at ${when}`;
  });
  const more = all.length > shownDuplicates ? [`and ${all.length - shownDuplicates} more claims`] : [];
  return [...rows, ...more].map((text) => ["conflict", paint("red", text)]);
}
