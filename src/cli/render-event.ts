/** One event as a line for a person. */
import type { NumberedEvent } from "../daemon/event-log.ts";
import { describeEvent } from "../daemon/log-event.ts";
import type { StateName } from "../vrrp/status.ts";
import type { Colour, Paint } from "./paint.ts";
import { formatClock } from "./render-time.ts";

export const stateColour: Record<StateName, Colour> = { active: "green", backup: "cyan", initialize: "yellow" };

export function renderEvent({ id, event }: NumberedEvent, paint: Paint): string {
  const start = `${paint("dim", `${formatClock(new Date(event.at))}  #${id}`)} `;
  if (event.type === "group_transition") {
    const text = paint(stateColour[event.to], describeEvent(event));
    return `${start} ${paint("bold", `sync group ${event.group}`)}: ${text}`;
  }
  if (!("instance" in event)) {
    return `${start} ${paint("bold", event.type)}: ${event.message}`;
  }
  const text = describeEvent(event);
  const colour = event.type === "transition" ? stateColour[event.to] : "yellow";
  const kind = event.type === "transition" ? "" : `${event.type}: `;
  return `${start} ${paint("bold", event.instance)}: ${paint(colour, kind + text)}`;
}
