/** What the counters of a server suggest. Shown, and nothing more: other explanations are possible. Pure. */
import type { MirroredDestination } from "./mirror.ts";

/** Fewer may be chance, or young. */
const enough = 20;

export function hints(found: readonly MirroredDestination[]): readonly string[] {
  let nat = false;
  let connections = 0;
  let packetsIn = 0;
  let packetsOut = 0;
  let active = 0;
  for (const { settings, traffic, last } of found) {
    nat ||= settings.forwarding.method === "nat";
    connections += traffic?.connections ?? 0;
    packetsIn += traffic?.packetsIn ?? 0;
    packetsOut += traffic?.packetsOut ?? 0;
    active += last?.active ?? 0;
  }
  if (connections < enough) return [];
  if (packetsIn === 0) return [`${connections} connections, and not one packet counted`];
  // Only with NAT the answers come by here.
  if (nat && packetsOut === 0) {
    return [`${packetsIn} packets went to it and none came back: its way back may not lead through this director`];
  }
  if (nat && active === 0 && packetsIn >= enough && packetsOut * 10 < packetsIn) {
    return [`hardly anything comes back: ${packetsOut} packets for ${packetsIn} that went to it`];
  }
  return [];
}
