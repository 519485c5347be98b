/** The health checks for a person: one line each; with many of them only those that are not up. Pure. */

import type { CheckReport } from "../daemon/status.ts";
import type { CheckState, CheckStatus } from "../healthchecks/status.ts";
import { type Colour, type Paint, padTo, widthOf } from "./paint.ts";
import { formatDuration, formatLatency } from "./render-time.ts";

const stateColour: Record<CheckState, Colour> = { up: "green", down: "red", unknown: "yellow" };

/** More checks than this, and those that are up are only counted. */
const allShown = 20;
const longestOutput = 200;

export function renderChecks(all: readonly CheckReport[], now: Date, paint: Paint): string[] {
  const checks = all.filter((check) => !isToldByServers(check) || check.warning !== null);
  if (checks.length === 0) return [];
  const shown =
    checks.length <= allShown ? checks : checks.filter(({ state, warning }) => state !== "up" || warning !== null);
  const hidden = checks.length - shown.length;
  const more = hidden === 0 ? [] : [paint("dim", `${hidden} checks are up; viprd status --json lists all`)];
  if (shown.length === 0) return more;
  const head = ["CHECK", "STATE", "FOR", "TYPE", "LATENCY", "TRACKED BY", "LAST RESULT"].map((title) =>
    paint("dim", title),
  );
  const rows = shown.map((check) => [
    paint("bold", check.name),
    paint(stateColour[check.state], check.state),
    formatDuration(now.getTime() - Date.parse(check.since)),
    check.type,
    check.last === null ? "" : formatLatency(check.last.latency_ms),
    trackedBy(check),
    lastResult(check, now),
  ]);
  const widths = head.map((title, i) => Math.max(widthOf(title), ...rows.map((row) => widthOf(row[i] ?? ""))));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => padTo(cell, widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  const below = (check: CheckReport | undefined) => [...remarks(check, paint), ...output(check, paint)];
  return [line(head), ...rows.flatMap((row, i) => [line(row), ...below(shown[i])]), ...more];
}

/** What servers are up by stands with the servers. */
function isToldByServers({ used_by: users }: CheckReport): boolean {
  return users.length > 0 && users.every((user) => user.includes(" of "));
}

/** "web", "web and 3 more" */
function trackedBy({ used_by: [first, ...others] }: CheckReport): string {
  if (first === undefined) return "nobody";
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

/** "connect 192.0.2.1:80: refused (2 of 3 failures, 410 ms ago)" */
function lastResult({ last, reason, state, successes, failures, rise, fall }: CheckStatus, now: Date): string {
  if (last === null) return reason;
  const ago = `${formatDuration(now.getTime() - Date.parse(last.at))} ago`;
  if (state === "up" && failures > 0) return `${last.reason} (${failures} of ${fall} failures, ${ago})`;
  if (state === "down" && successes > 0) return `${last.reason} (${successes} of ${rise} successes, ${ago})`;
  if (state === "down" && failures > 1) return `${last.reason} (${failures} failures in a row, ${ago})`;
  return `${last.reason} (${ago})`;
}

/** Beside its state: what it warns of and what it advises. */
function remarks(check: CheckReport | undefined, paint: Paint): string[] {
  const { warning = null, advice = null } = check ?? {};
  return [
    ...(warning === null ? [] : [`  ${paint("yellow", "warning")}  ${warning}`]),
    ...(advice === null ? [] : [`  ${paint("dim", "advice")}  ${advice.summary}`]),
  ];
}

/** Of a program that failed: what it said. */
function output(check: CheckStatus | undefined, paint: Paint): string[] {
  const text = check?.last?.ok === false ? (check.last.program?.output ?? "").trim() : "";
  if (text === "") return [];
  const told = text.length > longestOutput ? `…${text.slice(-longestOutput)}` : text;
  return told.split("\n").map((line) => `  ${paint("dim", "output")}  ${line}`);
}
