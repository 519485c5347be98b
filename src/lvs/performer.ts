/** Has operations done, and knows what a refusal means: the table is shared with others and may have changed. */
import { ErrorNumber, errnoName } from "../socket/errno.ts";
import type { Mirror } from "./mirror.ts";
import type { IpvsPort, Operation } from "./table.ts";
import { serviceText } from "./text.ts";

export interface Outcome {
  /** Why operations were refused, by service; with the errno's name. */
  readonly refusals: readonly Refusal[];
  /** Services that are not as they were thought to be: they have to be read again. */
  readonly doubtful: ReadonlySet<string>;
}

export interface Refusal {
  readonly service: string;
  readonly code: string;
  readonly message: string;
}

export class Performer {
  readonly #port: IpvsPort;
  readonly #mirror: Mirror;
  readonly #errors = new Map<string, number>();

  constructor(port: IpvsPort, mirror: Mirror) {
    this.#port = port;
    this.#mirror = mirror;
  }

  /** Goes up with everything that is written. */
  writes = 0;

  /** Refusals since the start, by name of the error. */
  get errors(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#errors);
  }

  count(code: string): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
  }

  /** In this order. Rejects when nothing is known of what was done. */
  async perform(operations: readonly Operation[]): Promise<Outcome> {
    const refusals: Refusal[] = [];
    const doubtful = new Set<string>();
    let round = operations;
    for (let again = 1; round.length > 0; again--) {
      this.writes += round.length;
      const results = await this.#port.apply(round);
      const instead: Operation[] = [];
      for (const [i, operation] of round.entries()) {
        const result = results[i];
        if (result === undefined) {
          this.#mirror.apply(operation);
          continue;
        }
        const service = serviceText(operation.service);
        const answer = meaning(operation, result.errno);
        if (answer.already) this.#mirror.apply(operation);
        else if (answer.instead !== undefined && again > 0) instead.push(answer.instead);
        else {
          const code = errnoName(result.errno);
          this.count(code);
          refusals.push({ service, code, message: result.message });
        }
        if (answer.doubtful) doubtful.add(service);
      }
      round = instead;
    }
    return { refusals, doubtful };
  }
}

interface Meaning {
  /** It is as it was to become. */
  readonly already?: true;
  readonly instead?: Operation;
  readonly doubtful?: true;
}

/** What was added by somebody else is set, what was taken away is added, and what is gone is gone. */
function meaning(operation: Operation, errno: number): Meaning {
  switch (operation.type) {
    case "add-service":
      return errno === ErrorNumber.EEXIST ? { instead: { ...operation, type: "edit-service" }, doubtful: true } : {};
    case "edit-service":
      return errno === ErrorNumber.ESRCH ? { instead: { ...operation, type: "add-service" }, doubtful: true } : {};
    case "delete-service":
      return errno === ErrorNumber.ESRCH ? { already: true } : {};
    case "add-destination":
      if (errno === ErrorNumber.EEXIST) return { instead: { ...operation, type: "edit-destination" } };
      return errno === ErrorNumber.ESRCH ? { doubtful: true } : {};
    case "edit-destination":
      if (errno === ErrorNumber.ENOENT) return { instead: { ...operation, type: "add-destination" } };
      return errno === ErrorNumber.ESRCH ? { doubtful: true } : {};
    case "delete-destination":
      if (errno === ErrorNumber.ENOENT) return { already: true };
      return errno === ErrorNumber.ESRCH ? { already: true, doubtful: true } : {};
  }
}
