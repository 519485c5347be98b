/** Who is active, as one router sees it. */
import { formatAddress, type IpAddress } from "../wire/address.ts";
import type { Instant } from "./parameters.ts";
import type { State } from "./router.ts";
import type { ActiveRouter } from "./status.ts";

export function activeRouter(
  state: State,
  own: { readonly source: IpAddress; readonly priority: number },
  now: Instant,
): ActiveRouter | null {
  if (state.name === "active") {
    return { address: formatAddress(own.source), priority: own.priority, last_heard_ms: 0, self: true };
  }
  const peer = state.name === "backup" ? (state.active ?? state.lesser) : undefined;
  if (peer === undefined) return null;
  const age = Math.round((now - peer.at) * 10) / 10;
  return { address: formatAddress(peer.source), priority: peer.priority, last_heard_ms: age, self: false };
}
