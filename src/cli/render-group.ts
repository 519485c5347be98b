/** One sync group for a person: its state, and which member keeps the others waiting. Pure. */
import type { GroupStatus } from "../vrrp/group-status.ts";
import type { Paint } from "./paint.ts";
import { stateColour } from "./render-event.ts";
import { renderTrack } from "./render-instance.ts";
import { aligned } from "./render-rows.ts";
import { formatDuration, formatMoment } from "./render-time.ts";

export function renderGroup(group: GroupStatus, now: Date, paint: Paint): string[] {
  const duration = formatDuration(now.getTime() - Date.parse(group.since));
  const state = paint(stateColour[group.state], group.state);
  const last = group.transitions.at(-1);
  const why: [string, string][] =
    last === undefined
      ? []
      : [["why", `${last.reason} (${formatMoment(new Date(last.at), now)} ${last.from} → ${last.to})`]];
  const members = group.members.map(({ name, state, blocks }): [string, string] => {
    const text = `${name}  ${state}`;
    return ["member", blocks === null ? text : paint("yellow", `${text}, blocks: ${blocks}`)];
  });
  const tracking = group.tracking.map((track): [string, string] => ["track", renderTrack(track, paint)]);
  return [
    `${paint("bold", `sync group ${group.name}`)}  ${state} for ${duration}`,
    ...aligned([...why, ...members, ...tracking], paint),
  ];
}
