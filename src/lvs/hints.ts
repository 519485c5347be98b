/** What the counters of a server suggest. Shown, and nothing more: nothing follows from them. Pure. */
import type { MirroredDestination } from "./mirror.ts";
import type { VirtualServerParameters } from "./parameters.ts";

/** Fewer may be chance. */
const enough = 20;

/** Only what is certain: with TCP every connection that comes about brings packets back. */
export function hints(
  { services }: Pick<VirtualServerParameters, "services">,
  found: readonly MirroredDestination[],
): readonly string[] {
  const connections = sum(found, ({ traffic }) => traffic?.connections);
  const packets = sum(found, ({ traffic }) => traffic?.packetsIn);
  if (connections < enough) return [];
  if (packets === 0) return [`${connections} connections, and not one packet counted`];
  // With the other methods the answers do not come by here.
  const answersComeBack = found.every(({ settings }) => settings.forwarding.method === "nat");
  const tcp = services.every((service) => service.kind === "address" && service.protocol === "tcp");
  if (!answersComeBack || !tcp) return [];
  const back = sum(found, ({ traffic }) => traffic?.packetsOut);
  if (back > 0) return [];
  return [`no packets come back (nat): ${packets} went to it; its way back may not lead through this director`];
}

/**
 * Under a hash that depends on the order: declared servers that do not stand where they do on a director that adds all of
 * them at once, the last one first.
 */
export function outOfPlace(listed: readonly string[], declared: readonly string[]): ReadonlySet<string> {
  const present = new Set(listed);
  const expected = declared.filter((key) => present.has(key)).toReversed();
  const known = new Set(expected);
  const found = listed.filter((key) => known.has(key));
  return new Set(found.filter((key, i) => key !== expected[i]));
}

function sum(found: readonly MirroredDestination[], of: (each: MirroredDestination) => number | undefined): number {
  return found.reduce((total, each) => total + (of(each) ?? 0), 0);
}
