/** What a running router asks of the instance that owns it. */
import type { Member } from "./member.ts";
import type { Milliseconds } from "./parameters.ts";
import type { Cause } from "./reasons.ts";
import type { Peer, State } from "./router.ts";

export interface MemberPorts {
  holdAddresses(): void;
  releaseAddresses(): void;
  announce(): void;
  /** A lesser router believes it is active, and advertises each `interval`. */
  lesserActive(peer: Peer, interval: Milliseconds): void;
  changed(member: Member, from: State["name"], cause: Cause): void;
  /** The timer ran out, for the second time when `again`; the members of the group become active together. */
  willing(again: boolean): void;
  /** Advertisements of the active router stay out: a takeover is near. */
  overdue(peer: Peer | undefined, interval: Milliseconds): void;
  /** Already limited. */
  warn(message: string): void;
}
