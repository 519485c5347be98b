/** What the checks of services have in common: where they connect, and whether with TLS. */
import type { Conversation, Endpoint } from "./conversation.ts";
import type { TlsParameters } from "./tls.ts";

export interface Service extends Endpoint {
  readonly tls?: ServiceTls;
}

export interface ServiceTls extends TlsParameters {
  /** implicit: from the first byte; starttls: asked for in the words of the protocol. */
  readonly mode: "implicit" | "starttls";
}

/** To be done before anything is said. */
export async function secureFirst(
  peer: Conversation,
  { tls }: Service,
  protocols: readonly string[] = [],
): Promise<void> {
  if (tls?.mode === "implicit") await peer.startTls(tls, { protocols });
}

/** For the end of a reason. */
export function overTls(peer: Conversation): string {
  return peer.isSecure ? " over TLS" : "";
}
