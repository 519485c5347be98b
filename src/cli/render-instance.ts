/** One instance in full, for a person. Pure. */
import type { Counters, InstanceStatus, RouterStatus, TrackStatus } from "../vrrp/status.ts";
import type { Paint } from "./paint.ts";
import { authentication, lastRefusal } from "./render-authentication.ts";
import { conflicts } from "./render-conflicts.ts";
import { countsOf, times } from "./render-counts.ts";
import { stateColour } from "./render-event.ts";
import { aligned } from "./render-rows.ts";
import { routingRows } from "./render-statics.ts";
import { formatDuration, formatInterval, formatMoment } from "./render-time.ts";

export function renderInstance(instance: InstanceStatus, now: Date, paint: Paint): string[] {
  const duration = formatDuration(now.getTime() - Date.parse(instance.since));
  const state = paint(stateColour[instance.state], instance.state);
  const facts = `vrid ${instance.vrid} on ${instance.interface}, VRRP ${instance.version}, ${instance.families.join(" and ")}`;
  const { authentication: auth } = instance;
  const rows: [string, string][] = [
    ...reasons(instance, now),
    ["priority", priority(instance)],
    ...tracking(instance, paint),
    ["active", activeRouter(instance)],
    ...instance.routers.flatMap((router) => timer(router, instance)),
    ...addresses(instance, paint),
    ...devices(instance, paint),
    ...routingRows("route", instance.routes, instance.state === "active", paint),
    ...routingRows("rule", instance.rules, instance.state === "active", paint),
    ["adverts", adverts(instance)],
    ...(auth === undefined ? [] : [["auth", authentication(auth)] satisfies [string, string]]),
    ...(auth === undefined ? [] : lastRefusal(auth, now)).map((text): [string, string] => ["refused", text]),
    ...conflicts(instance, now, paint),
    ...troubles(instance.counters).map((text): [string, string] => ["trouble", paint("yellow", text)]),
  ];
  return [`${paint("bold", instance.name)}  ${state} for ${duration}  ${paint("dim", facts)}`, ...aligned(rows, paint)];
}

function reasons(instance: InstanceStatus, now: Date): [string, string][] {
  const last = instance.transitions.at(-1);
  const why: [string, string][] = instance.reasons.map((reason) => ["why", reason]);
  if (last === undefined) return why;
  const when = `${formatMoment(new Date(last.at), now)} ${last.from} → ${last.to}`;
  return why.length > 0 ? [...why, ["last", `${when}: ${last.reason}`]] : [["why", `${last.reason} (${when})`]];
}

/** "90 = 150 - 60 (track gateway)" */
function priority({ priority: { base, effective, parts }, preempt }: InstanceStatus): string {
  const sum = parts.map(({ name, change }) => ` ${change < 0 ? "-" : "+"} ${Math.abs(change)} (${name})`);
  const text = sum.length === 0 && base === effective ? String(base) : `${effective} = ${base}${sum.join("")}`;
  return preempt ? text : `${text}, nopreempt`;
}

function tracking(instance: InstanceStatus, paint: Paint): [string, string][] {
  return instance.tracking.map((track) => ["track", renderTrack(track, paint)]);
}

/** "check gateway failed: timeout (priority -60)", "interface eth1 is up, penalty 1.2" */
export function renderTrack({ reason, failing, priority, penalty, held_ms }: TrackStatus, paint: Paint): string {
  const applied = priority !== null && failing === priority < 0;
  const effect = priority === null ? (failing ? " (fault)" : "") : applied ? ` (priority ${signed(priority)})` : "";
  const decay = penalty > 0 ? `, penalty ${penalty}` : "";
  const hold = held_ms === null ? "" : `, held for ${formatDuration(held_ms)} more`;
  const text = `${reason}${effect}${decay}${hold}`;
  return failing ? paint("red", text) : text;
}

function signed(change: number): string {
  return change > 0 ? `+${change}` : String(change);
}

function activeRouter({ active_router: active, state }: InstanceStatus): string {
  if (active === null) return state === "initialize" ? "not listening" : "none heard";
  if (active.self) return `this router, ${active.address}`;
  return `${active.address}, priority ${active.priority}, heard ${formatDuration(active.last_heard_ms)} ago`;
}

function timer(router: RouterStatus, { routers, sync_group }: InstanceStatus): [string, string][] {
  const { timer_ms, willing, active_down_interval_ms: down } = router;
  if (timer_ms === null) return [];
  const family = routers.length > 1 ? `${router.family}: ` : "";
  const others = sync_group === null ? "the other address family" : `the others of sync group ${sync_group}`;
  const text =
    router.state === "active"
      ? `next advert in ${formatDuration(timer_ms)}`
      : willing
        ? `its time has come: waits for ${others}`
        : `takeover in ${formatDuration(timer_ms)} unless heard, of ${formatInterval(down)}`;
  return [["timer", family + text]];
}

function addresses(instance: InstanceStatus, paint: Paint): [string, string][] {
  const expected = instance.state === "active";
  const width = Math.max(0, ...instance.addresses.map(({ address }) => address.length));
  return instance.addresses.map(({ address, device, present, lease_s, advertised }) => {
    const state =
      present === expected
        ? present
          ? "present"
          : "absent"
        : present
          ? "present, but not ours to hold now"
          : "MISSING";
    const lease = present && lease_s !== null ? `, lease ${lease_s} s` : "";
    const text = `${address.padEnd(width)}  ${device}  ${state}${lease}${advertised ? "" : ", not advertised"}`;
    return ["address", present === expected ? text : paint("red", text)];
  });
}

/** Up while active and down otherwise; anything else is being put right. */
function devices(instance: InstanceStatus, paint: Paint): [string, string][] {
  return instance.virtual_macs.map(({ address, device, present, up }) => {
    const right = present && up === (instance.state === "active");
    const text = `${address}  ${device}  ${present ? (up ? "up" : "down") : "MISSING"}`;
    return ["mac", right || instance.state === "initialize" ? text : paint("red", text)];
  });
}

function adverts({ counters, advert_int_ms }: InstanceStatus): string {
  const { adverts_sent, adverts_received, became_active } = counters;
  const every = formatInterval(advert_int_ms);
  return `${adverts_sent} sent, ${adverts_received} received, every ${every}; became active ${times(became_active)}`;
}

/** Counters that should be zero, only where they are not. */
function troubles(counters: Counters): string[] {
  const rejected = countsOf(counters.rejected);
  const told: [number, string, string][] = [
    [counters.send_errors, "advert", "could not be sent"],
    [counters.own_packets, "own packet", "heard again: a loop, or a cloned router"],
    [counters.interval_errors, "advert", "with another interval than ours"],
    [counters.address_list_errors, "advert", "with another address list than ours"],
    [counters.other_checksum_form, "advert", "in the other checksum form (accepted)"],
    [counters.late_timers, "timer", "fired late"],
  ];
  const lines = told
    .filter(([count]) => count > 0)
    .map(([count, noun, text]) => `${count} ${noun}${count === 1 ? "" : "s"} ${text}`);
  return rejected === "" ? lines : [`rejected: ${rejected}`, ...lines];
}
