/** A virtual server at run time: what it is to be, what is remembered of it, and what is still to be done for it. */
import type { VirtualServerMemory } from "./memory.ts";
import type { VirtualServerParameters } from "./parameters.ts";
import type { Decision } from "./virtual-server.ts";

export class Unit {
  parameters: VirtualServerParameters;
  memory: VirtualServerMemory | undefined;
  decision: Decision | undefined;
  /** Its services have been read from the table. */
  read = false;
  /** Tries in a row that were refused. */
  refused = 0;
  /** Why the table is not as it should be, in words. */
  trouble: string | undefined;
  /** Cancels the alarm. */
  #cancel: (() => void) | undefined;

  constructor(parameters: VirtualServerParameters) {
    this.parameters = parameters;
  }

  alarm(cancel: (() => void) | undefined): void {
    this.#cancel?.();
    this.#cancel = cancel;
  }
}
