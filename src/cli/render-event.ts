/** One event as a line for a person. */
import type { NumberedEvent } from "../daemon/event-log.ts";
import { describeEvent } from "../daemon/log-event.ts";
import { describeLvsEvent } from "../daemon/log-lvs-event.ts";
import type { LvsEvent } from "../lvs/status.ts";
import type { StateName } from "../vrrp/status.ts";
import type { Colour, Paint } from "./paint.ts";
import { serverColour } from "./render-servers.ts";
import { formatClock } from "./render-time.ts";

export const stateColour: Record<StateName, Colour> = { active: "green", backup: "cyan", initialize: "yellow" };

export function renderEvent({ id, event }: NumberedEvent, paint: Paint): string {
  const start = `${paint("dim", `${formatClock(new Date(event.at))}  #${id}`)} `;
  if (event.type === "group_transition") {
    const text = paint(stateColour[event.to], describeEvent(event));
    return `${start} ${paint("bold", `sync group ${event.group}`)}: ${text}`;
  }
  if (isOfLvs(event)) {
    const about = event.virtual_server ?? "load balancer";
    return `${start} ${paint("bold", about)}: ${paint(lvsColour(event), describeLvsEvent(event))}`;
  }
  if (!("instance" in event)) {
    return `${start} ${paint("bold", event.type)}: ${event.message}`;
  }
  const text = describeEvent(event);
  const colour = event.type === "transition" ? stateColour[event.to] : "yellow";
  const kind = event.type === "transition" ? "" : `${event.type}: `;
  return `${start} ${paint("bold", event.instance)}: ${paint(colour, kind + text)}`;
}

function isOfLvs(event: NumberedEvent["event"]): event is LvsEvent {
  return Object.hasOwn(lvsTypes, event.type);
}

const lvsTypes: Readonly<Record<LvsEvent["type"], true>> = {
  server: true,
  quorum: true,
  sorry_server: true,
  drift: true,
  lvs_warning: true,
};

function lvsColour(event: LvsEvent): Colour {
  switch (event.type) {
    case "server":
      return serverColour[event.to];
    case "quorum":
      return event.up ? "green" : "red";
    case "sorry_server":
    case "drift":
    case "lvs_warning":
      return "yellow";
  }
}
