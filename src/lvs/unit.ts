/** A virtual server at run time: what it is to be, what is remembered of it, and what is still to be done for it. */
import type { Instant, VirtualServerMemory } from "./memory.ts";
import type { VirtualServerParameters } from "./parameters.ts";
import type { Drift } from "./survey.ts";
import type { Decision } from "./virtual-server.ts";

const firstRetry = 1000;
const longestRetry = 60_000;

export class Unit {
  parameters: VirtualServerParameters;
  /** It is no longer in the file: its servers leave, and its services go with the last one. */
  readonly retired: boolean;
  memory: VirtualServerMemory | undefined;
  decision: Decision | undefined;
  /** What the table has of it is not known for sure. */
  doubt = false;
  /** Tries in a row that were refused. */
  refused = 0;
  /** When something was last written to the table for it. */
  writtenAt: Instant | undefined;
  /** Why the table is not as it should be, in words. */
  trouble: string | undefined;
  /** What somebody else changed, and is about to be repaired. */
  drifts: readonly Drift[] = [];
  /** What somebody else changed and is left at that: by subject, what was wanted of it then. */
  readonly accepted = new Map<string, string>();
  #cancel: (() => void) | undefined;

  constructor(parameters: VirtualServerParameters, retired = false, memory?: VirtualServerMemory) {
    this.parameters = parameters;
    this.retired = retired;
    this.memory = memory;
  }

  /** It was refused: when it is tried again, unless the time changes something before. */
  refuse(now: Instant): Instant {
    const delay = Math.min(firstRetry * 2 ** this.refused, longestRetry);
    this.refused++;
    const wakeAt = this.decision?.wakeAt ?? 0;
    return wakeAt > now ? Math.min(wakeAt, now + delay) : now + delay;
  }

  /** `cancel` takes back the alarm that is set now; the one before is. */
  alarm(cancel: (() => void) | undefined): void {
    this.#cancel?.();
    this.#cancel = cancel;
  }
}
