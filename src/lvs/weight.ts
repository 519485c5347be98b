/** Which weight a server has: the file, what its checks advise, what an operator said, and how far it is after coming back. Pure. */

import type { Instant } from "./memory.ts";
import type { AdminEntry, Advice, Milliseconds, RealServerParameters } from "./parameters.ts";

export type Mode = "ready" | "drain" | "maintenance";

/** What holds besides the checks' up and down. */
export interface Standing {
  /** That it would have in full service. */
  readonly weight: number;
  readonly mode: Mode;
  /** Why it is drained or in maintenance. */
  readonly reason: string;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  /** What an operator said, as far as it is in force. */
  readonly admin: readonly AdminEntry[];
}

export function standing(server: RealServerParameters, virtualServer: string, said: Said): Standing {
  const { advices, admin } = said;
  // Of most servers nobody says anything, and there may be ten thousand.
  if (admin.length === 0 && advices.length === 0) {
    const { weight, upperThreshold } = server;
    const lowerThreshold = Math.min(server.lowerThreshold, upperThreshold);
    return { weight, mode: "ready", reason: "", upperThreshold, lowerThreshold, admin };
  }
  const inForce = adminInForce(server, virtualServer, said);
  const upperThreshold = last(advices.map(({ advice }) => advice.maxConnections)) ?? server.upperThreshold;
  return {
    weight: setWeight(server.weight, inForce) ?? advisedWeight(server.weight, advices),
    ...modeOf(inForce, advices),
    upperThreshold,
    // The kernel refuses a lower one above the upper one.
    lowerThreshold: Math.min(server.lowerThreshold, upperThreshold),
    admin: inForce,
  };
}

/** By its checks and by operators. */
interface Said {
  readonly advices: readonly NamedAdvice[];
  readonly admin: readonly AdminEntry[];
  readonly wall: number;
}

function adminInForce(server: RealServerParameters, virtualServer: string, { admin, wall }: Said): AdminEntry[] {
  return admin.filter((entry) => concerns(entry, virtualServer, server) && (entry.until ?? wall + 1) > wall);
}

/** What checks say, as far as it counts: "agent says weight 50 %". */
export function adviceTexts(server: RealServerParameters, virtualServer: string, said: Said): string[] {
  const isSet = setWeight(server.weight, adminInForce(server, virtualServer, said)) !== undefined;
  return said.advices.flatMap(({ check, advice }) => {
    const { weight, weightPercent, weightOffset, maxConnections } = advice;
    const words = [
      ...(isSet || weight === undefined ? [] : [`weight ${weight}`]),
      ...(isSet || weightPercent === undefined ? [] : [`weight ${weightPercent} %`]),
      ...(isSet || weightOffset === undefined ? [] : [`weight ${weightOffset < 0 ? "" : "+"}${weightOffset}`]),
      ...(maxConnections === undefined ? [] : [`at most ${maxConnections} connections`]),
    ];
    return words.length === 0 ? [] : [`${check} says ${words.join(", ")}`];
  });
}

export interface NamedAdvice {
  readonly check: string;
  readonly advice: Advice;
}

export function concerns(
  entry: AdminEntry,
  virtualServer: string,
  server: { address: string; port?: number },
): boolean {
  return (
    entry.address === server.address &&
    (entry.port === undefined || entry.port === server.port) &&
    (entry.service === undefined || entry.service === virtualServer)
  );
}

/** What an operator said goes before what an agent says; taking out goes before draining. */
function modeOf(admin: readonly AdminEntry[], advices: readonly NamedAdvice[]): Pick<Standing, "mode" | "reason"> {
  const maintenance = admin.find(({ what }) => what.type === "maintenance");
  if (maintenance !== undefined) return { mode: "maintenance", reason: `in maintenance${toldBy(maintenance)}` };
  const drain = admin.find(({ what }) => what.type === "drain");
  if (drain !== undefined) return { mode: "drain", reason: `drained${toldBy(drain)}` };
  const maint = advices.find(({ advice }) => advice.mode === "maint");
  if (maint !== undefined) return { mode: "maintenance", reason: `in maintenance, says ${maint.check}` };
  const agent = advices.find(({ advice }) => advice.mode === "drain");
  if (agent !== undefined) return { mode: "drain", reason: `drained, says ${agent.check}` };
  return { mode: "ready", reason: "" };
}

function toldBy({ by, reason }: AdminEntry): string {
  return ` by ${by}${reason === undefined ? "" : `: ${reason}`}`;
}

/** The last word counts: they come in the order in which they were said, whatever the clock showed. */
function setWeight(weight: number, admin: readonly AdminEntry[]): number | undefined {
  return last(admin.map(({ what }) => saidWeight(weight, what)));
}

function saidWeight(weight: number, what: AdminEntry["what"]): number | undefined {
  switch (what.type) {
    case "weight":
      return what.weight;
    case "weight_percent":
      return share(weight, what.percent);
    case "drain":
    case "maintenance":
      return undefined;
  }
}

function advisedWeight(weight: number, advices: readonly NamedAdvice[]): number {
  const percent = last(advices.map(({ advice }) => advice.weightPercent));
  const base = last(advices.map(({ advice }) => advice.weight)) ?? weight;
  const offset = advices.reduce((sum, { advice }) => sum + (advice.weightOffset ?? 0), 0);
  return Math.max(0, (percent === undefined ? base : share(base, percent)) + offset);
}

/** A small share of a small weight is still a share. */
function share(weight: number, percent: number): number {
  return Math.ceil((weight * percent) / 100);
}

function last<T>(values: readonly (T | undefined)[]): T | undefined {
  return values.findLast((value) => value !== undefined);
}

/**
 * Schedulers under which a small weight means a small share of the new connections. Not mh and sh, where every change
 * of a weight moves clients of other servers, nor fo, where the highest weight gets everything.
 */
const proportional: ReadonlySet<string> = new Set(["wrr", "wlc", "lblc", "lblcr", "sed", "nq", "twos"]);

export function canStartSlowly(scheduler: string): boolean {
  return proportional.has(scheduler);
}

const mostSteps = 10;

/** The weight after that time, and how long it stays at that; undefined when it has arrived. */
export function slowWeight(
  weight: number,
  elapsed: Milliseconds,
  duration: Milliseconds,
): { readonly weight: number; readonly next: Milliseconds } | undefined {
  const steps = Math.min(weight, mostSteps);
  if (elapsed >= duration || steps < 2) return undefined;
  const done = Math.floor((Math.max(0, elapsed) / duration) * (steps - 1)) + 1;
  return { weight: Math.ceil((weight * done) / steps), next: (done / (steps - 1)) * duration - elapsed };
}

export function wakeForAdmin(admin: readonly AdminEntry[], now: { instant: Instant; wall: number }): Instant {
  return Math.min(...admin.map(({ until }) => now.instant + (until ?? Number.POSITIVE_INFINITY) - now.wall));
}
