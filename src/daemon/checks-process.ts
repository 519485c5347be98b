/** The checks process as the supervisor sees it: runs while there are checks, reports verdicts, answers questions. */
import type { Difference } from "../config/diff.ts";
import type { Verdict } from "../healthchecks/health.ts";
import type { CheckParameters } from "../healthchecks/parameters.ts";
import type { CheckStatus } from "../healthchecks/status.ts";
import type { LatenessStatus } from "../socket/lateness.ts";
import type { Milliseconds } from "../vrrp/parameters.ts";
import { tellChecks } from "./check-status.ts";
import type { FromChecks, ToChecks } from "./messages.ts";
import type { ProcessStatus } from "./process-status.ts";
import { RoleProcess, type RoleProcessOptions } from "./role-process.ts";
import { NoAnswer, type Reply, StatusRequests } from "./status-requests.ts";
import { type NamedVerdict, Verdicts } from "./verdicts.ts";

export interface ChecksProcessOptions extends RoleProcessOptions {
  /** A check's verdict, advice or warning has changed; what it was before comes with it. */
  onChange(verdict: NamedVerdict, before: Verdict): void;
  readonly statusLimit?: Milliseconds;
}

export interface ChecksReply {
  readonly checks: readonly CheckStatus[];
  /** How late runs began; null when nobody tells. */
  readonly lateness: LatenessStatus | null;
}

export class ChecksProcess {
  readonly #options: ChecksProcessOptions;
  readonly #process: RoleProcess<ToChecks, FromChecks>;
  readonly #requests: StatusRequests<CheckStatus, LatenessStatus>;
  /** In force while the process is down; a new one goes on with them. */
  readonly #verdicts = new Verdicts();
  #checks: readonly CheckParameters[] = [];

  constructor(options: ChecksProcessOptions) {
    this.#options = options;
    this.#requests = new StatusRequests("the checks process", options.statusLimit ?? 2000);
    this.#process = new RoleProcess<ToChecks, FromChecks>(options, {
      name: "checks",
      needed: () => this.#checks.length > 0,
      startMessages: () => [...this.#checks.map((parameters) => this.#configure(parameters)), { type: "start" }],
      receive: (message) => this.#receive(message),
      ask: () => this.#ask(false),
      ended: (why) => this.#requests.fail(why),
      killed: "what it ran may run on",
      hopeless: () => {},
    });
  }

  /** The checks of a configuration, before they run. Returns what counts for new ones until there are results. */
  adopt(checks: readonly CheckParameters[]): NamedVerdict[] {
    this.#checks = checks;
    return this.#verdicts.adopt(checks);
  }

  verdicts(): NamedVerdict[] {
    return this.#verdicts.all();
  }

  /** What was adopted, as a difference to the last; of the first one everything is new. */
  settle({ removed, changed, added }: Difference<CheckParameters>): void {
    this.#process.settle([
      ...removed.map(({ name }): ToChecks => ({ type: "remove", name })),
      ...changed.map((change): ToChecks => ({ type: "configure", parameters: change.new })),
      ...added.map((parameters) => this.#configure(parameters)),
    ]);
  }

  /** In the order of the file. Without an answer, as far as it is known here. */
  async status(): Promise<ChecksReply> {
    const checks = this.#checks;
    if (checks.length === 0) return { checks: [], lateness: null };
    const told = await this.#ask(true).catch((error: unknown) =>
      String(error instanceof Error ? error.message : error),
    );
    if (typeof told === "string") return { checks: tellChecks(checks, this.#verdicts, told), lateness: null };
    return { checks: tellChecks(checks, this.#verdicts, told.items), lateness: told.end };
  }

  /** Undefined when it runs or is not needed; otherwise why not. */
  notReady(): string | undefined {
    const { state } = this.#process;
    return state === "running" || this.#checks.length === 0 ? undefined : `the checks process is ${state}`;
  }

  describe(): ProcessStatus {
    return this.#process.describe();
  }

  /** Lets the process end what it runs; kills it when that takes longer than `limit`. True when it ended in order. */
  stop(limit: Milliseconds): Promise<boolean> {
    return this.#process.stop(limit);
  }

  async #ask(checks: boolean): Promise<Reply<CheckStatus, LatenessStatus>> {
    const { state } = this.#process;
    if (state !== "running") throw new NoAnswer(`the checks process is ${state}`);
    return this.#requests.ask((id) => this.#process.send({ type: "status", id, checks }));
  }

  #configure(parameters: CheckParameters): ToChecks {
    const known = this.#verdicts.get(parameters.name);
    if (known === undefined || known.up === null) return { type: "configure", parameters };
    const { since: _, ...verdict } = known;
    return { type: "configure", parameters, known: verdict };
  }

  #receive(message: FromChecks): void {
    switch (message.type) {
      case "verdict": {
        const { type: _, ...verdict } = message;
        const before = this.#verdicts.replace(verdict);
        if (before !== undefined) this.#options.onChange(verdict, before);
        return;
      }
      case "status":
        this.#requests.item(message.id, message.check);
        return;
      case "status-end":
        this.#requests.end(message.id, message.lateness);
        return;
      default:
        message satisfies never;
    }
  }
}
