/** The status for a person: one screen that tells who is active, since when and why. Pure. */
import type { Lateness } from "../daemon/messages.ts";
import type { ProcessStatus } from "../daemon/process-status.ts";
import type { StatusDocument } from "../daemon/status.ts";
import type { InstanceStatus } from "../vrrp/status.ts";
import { type Paint, padTo, widthOf } from "./paint.ts";
import { renderChecks } from "./render-checks.ts";
import { ongoingConflict } from "./render-conflicts.ts";
import { countsOf, times } from "./render-counts.ts";
import { stateColour } from "./render-event.ts";
import { renderGroup } from "./render-group.ts";
import { renderInstance } from "./render-instance.ts";
import { renderNotify } from "./render-notify.ts";
import { renderStatics } from "./render-statics.ts";
import { formatDuration, formatMoment } from "./render-time.ts";
import { renderVirtualServers } from "./render-virtual-servers.ts";

/** Up to so many instances are told in full; more of them as a table, one line each. */
const inFull = 4;

export function renderStatus(status: StatusDocument, now: Date, paint: Paint): string {
  const { instances } = status;
  const body =
    instances.length <= inFull
      ? instances.map((instance) => renderInstance(instance, now, paint))
      : [renderTable(instances, now, paint), [paint("dim", "viprd status NAME tells more about one of them")]];
  const blocks = [
    renderHeader(status, now, paint),
    ...body,
    ...status.groups.map((group) => renderGroup(group, now, paint)),
    ...renderVirtualServers(status, now, paint),
    renderChecks(status.checks, now, paint),
    renderStatics(status.statics, paint),
    renderNotify(status.notify, now, paint),
    renderStrangers(status, paint),
    renderSettings(status, paint),
  ];
  if (instances.length === 0 && status.lvs === null) blocks.push(["no instance is configured"]);
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join("\n")}\n`)
    .join("\n");
}

function renderHeader(status: StatusDocument, now: Date, paint: Paint): string[] {
  const { config, processes } = status;
  const up = formatDuration(now.getTime() - Date.parse(status.started));
  const lines = [
    `${paint("bold", status.router_id)}  viprd ${status.viprd}, pid ${status.pid}, up ${up}`,
    paint("dim", `${config.file}, read ${formatMoment(new Date(config.loaded_at), now)}`),
  ];
  if (config.reload !== null && !config.reload.ok) {
    const at = formatMoment(new Date(config.reload.at), now);
    lines.push(paint("red", `the reload at ${at} was ${config.reload.message}`));
    lines.push(...config.reload.problems.map((problem) => `  ${problem}`));
  }
  const waiting = config.reload?.needs_restart ?? [];
  if (waiting.length > 0) lines.push(paint("yellow", `changed, but needs a restart: ${waiting.join(", ")}`));
  for (const [name, child] of Object.entries(processes)) lines.push(...renderProcess(name, child, paint));
  if (status.vrrp !== null) lines.push(...stalls(status.vrrp.lateness, now).map((line) => paint("yellow", line)));
  lines.push(...lateChecks(status.checks_lateness).map((line) => paint("yellow", line)));
  return lines;
}

/** Runs that begin so much late, one in a hundred, make the times of the file untrue. */
const tolerable = 50;

function lateChecks(lateness: StatusDocument["checks_lateness"]): string[] {
  if (lateness === null || lateness.p99_ms <= tolerable) return [];
  const { p99_ms, max_ms } = lateness;
  return [
    `checks process: 1 run in 100 begins more than ${tolerable} ms late, up to ${formatDuration(p99_ms)} (once ${formatDuration(max_ms)})`,
  ];
}

function stalls({ stalls: count, stalled_ms, last_stall: last }: Lateness, now: Date): string[] {
  if (count === 0 || last === null) return [];
  const slept = last.suspended_ms > 0 ? `, suspended for ${formatDuration(last.suspended_ms)} of it` : "";
  const when = `the last time at ${formatMoment(new Date(last.ended), now)} after ${formatDuration(last.duration_ms)}${slept}`;
  const how = count === 1 ? "once" : `${times(count)}, ${formatDuration(stalled_ms)} together`;
  return [`vrrp process: not run in time by the kernel ${how}; ${when}`];
}

function renderProcess(name: string, { state, restarts, last_end }: ProcessStatus, paint: Paint): string[] {
  const lines = state === "running" || state === "not needed" ? [] : [paint("red", `${name} process: ${state}`)];
  if (restarts === 0) return lines;
  const last = last_end === null ? "" : `; the last one ${last_end}`;
  return [...lines, paint("yellow", `${name} process: started again ${times(restarts)}${last}`)];
}

function renderTable(instances: readonly InstanceStatus[], now: Date, paint: Paint): string[] {
  const head = ["NAME", "STATE", "FOR", "PRIORITY", "ACTIVE ROUTER", "HEARD", "WHY"];
  const rows = instances.map((instance) => [
    paint("bold", instance.name),
    paint(stateColour[instance.state], instance.state),
    formatDuration(now.getTime() - Date.parse(instance.since)),
    String(instance.priority.effective),
    activeRouter(instance),
    lastHeard(instance),
    why(instance, paint),
  ]);
  return alignColumns([head.map((title) => paint("dim", title)), ...rows]);
}

function why(instance: InstanceStatus, paint: Paint): string {
  const conflict = ongoingConflict(instance);
  if (conflict !== undefined) return paint("red", conflict);
  return instance.reasons[0] ?? instance.transitions.at(-1)?.reason ?? "";
}

function activeRouter({ active_router: active }: InstanceStatus): string {
  if (active === null) return "none heard";
  return active.self ? "this one" : `${active.address} (${active.priority})`;
}

function lastHeard({ active_router: active }: InstanceStatus): string {
  return active === null || active.self ? "" : `${formatDuration(active.last_heard_ms)} ago`;
}

/** Packets for no instance of ours: usually a mistyped virtual_router_id, here or at a neighbour. */
/** What viprd changed on this host and will put back. */
function renderSettings({ settings }: StatusDocument, paint: Paint): string[] {
  return settings.map(({ name, value, before }) => `${paint("dim", "sysctl")}  ${name} = ${value}, was ${before}`);
}

function renderStrangers({ interfaces }: StatusDocument, paint: Paint): string[] {
  const lines = interfaces
    .filter(({ rejected }) => Object.values(rejected).some((count) => count > 0))
    .map((entry) => `  ${entry.interface} ${entry.family}: ${countsOf(entry.rejected)}`);
  return lines.length === 0 ? [] : [paint("yellow", "packets for none of our instances"), ...lines];
}

export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell));
  return rows.map((row) =>
    row
      .map((cell, i) => padTo(cell, widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
