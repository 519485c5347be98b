/** What a sync group tells about itself. */
import type { StateName, TrackStatus, TransitionStatus } from "./status.ts";

export interface GroupStatus {
  readonly name: string;
  /** active: all members are; initialize: some member is. */
  readonly state: StateName;
  readonly since: string;
  /** Why it is not active, as far as the reason is on this node. */
  readonly reasons: readonly string[];
  readonly members: readonly GroupMemberStatus[];
  readonly tracking: readonly TrackStatus[];
  /** Newest last, at most 20. */
  readonly transitions: readonly TransitionStatus[];
}

export interface GroupMemberStatus {
  readonly name: string;
  readonly state: StateName;
  /** Why it keeps the others from running or from becoming active; null when it does not. */
  readonly blocks: string | null;
}
