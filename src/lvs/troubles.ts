/** What keeps the table from being as it is wanted: told once when it begins, and once when it is over. */

import type { Unit } from "./unit.ts";
import type { CoreEvent } from "./virtual-server.ts";

export class Troubles {
  readonly #tell: (event: CoreEvent) => void;
  /** Of units that are gone nothing is kept. */
  readonly #told = new WeakSet<Unit>();
  #port: string | undefined;
  #note: string | undefined;

  constructor(tell: (event: CoreEvent) => void) {
    this.#tell = tell;
  }

  /** Undefined: it can be reached. */
  port(message: string | undefined): void {
    if (message === this.#port) return;
    this.#port = message;
    const text = message === undefined ? "the table of the kernel can be reached again" : message;
    this.#tell({ type: "lvs_warning", message: message === undefined ? text : `${text}; it is tried again` });
  }

  /** Undefined: it is written. */
  note(message: string | undefined): void {
    if (message === this.#note) return;
    this.#note = message;
    this.#tell({ type: "lvs_warning", message: message ?? "what a restart has to know is noted again" });
  }

  unit(unit: Unit, message: string | undefined): void {
    if (message === unit.trouble) return;
    unit.trouble = message;
    // That of the table as a whole has been told.
    if (message !== undefined && message !== this.#port) this.#told.add(unit);
    else if (!this.#told.delete(unit)) return;
    const text = message === undefined ? "its table is as it should be again" : `${message}; it is tried again`;
    this.#tell({ type: "lvs_warning", virtual_server: unit.parameters.name, message: text });
  }

  current(units: Iterable<Unit>): string | null {
    if (this.#port !== undefined) return this.#port;
    for (const { trouble, parameters } of units) if (trouble !== undefined) return `${parameters.name}: ${trouble}`;
    return null;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
