/** How long a server that has failed goes on getting clients, from the timing of its checks. */
import type { CheckParameters } from "../healthchecks/parameters.ts";
import type { RealServerParameters, VirtualServerParameters } from "../lvs/parameters.ts";
import type { Milliseconds } from "../vrrp/parameters.ts";

/**
 * The server fails just after a run has seen it well. The next run starts an interval later, and is the first of `fall`
 * that fail; the last one takes its whole timeout. Runs do not overlap, so a long timeout puts off the next one.
 */
export function detectionTime(check: CheckParameters): Milliseconds {
  const { interval, fastInterval, timeout, jitter, fall } = check;
  return interval + jitter + (fall - 1) * Math.max(fastInterval, timeout) + timeout;
}

/** Of the server that takes longest, by the quickest of its checks; undefined when one has none. */
export function worstDetection(
  { servers }: VirtualServerParameters,
  checks: ReadonlyMap<string, CheckParameters>,
): Milliseconds | undefined {
  const times = servers.map((server) => quickest(server, checks));
  return times.includes(undefined) ? undefined : Math.max(...times.map((time) => time ?? 0));
}

function quickest(
  server: RealServerParameters,
  checks: ReadonlyMap<string, CheckParameters>,
): Milliseconds | undefined {
  const all = server.checks.flatMap((name) => checks.get(name) ?? []).filter(noticesServers);
  // What is asked of another address, for instance of its management, stands for it when there is nothing better.
  const direct = all.filter((check) => asks(check, server.address));
  const times = (direct.length > 0 ? direct : all).map(detectionTime);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** These look at this host; and that an agent is silent says nothing about what it stands for. */
const ofThisHost: readonly string[] = ["file", "process", "interface", "route", "agent"];

function noticesServers({ type }: CheckParameters): boolean {
  return !ofThisHost.includes(type);
}

function asks(check: CheckParameters, address: string): boolean {
  if (check.type === "http") return (check.address ?? new URL(check.url).hostname.replace(/^\[|\]$/g, "")) === address;
  return "host" in check ? check.host === address : true;
}
