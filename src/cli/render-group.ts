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
  const members = group.members.map(({ name, state, blocks }): [string, string] => {
    const text = `${name}  ${state}`;
    return ["member", blocks === null ? text : paint("yellow", `${text}, blocks: ${blocks}`)];
  });
  const tracking = group.tracking.map((track): [string, string] => ["track", renderTrack(track, paint)]);
  return [
    `${paint("bold", `sync group ${group.name}`)}  ${state} for ${duration}`,
    ...aligned([...reasons(group, now), ...members, ...tracking], paint),
  ];
}

/** What keeps it so now; what made it so comes second, and may be over. */
function reasons({ reasons: present, transitions }: GroupStatus, now: Date): [string, string][] {
  const last = transitions.at(-1);
  const why = present.map((reason): [string, string] => ["why", reason]);
  if (last === undefined) return why;
  const when = `${formatMoment(new Date(last.at), now)} ${last.from} → ${last.to}`;
  return why.length > 0 ? [...why, ["last", `${when}: ${last.reason}`]] : [["why", `${last.reason} (${when})`]];
}
