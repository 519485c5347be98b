/**
 * The checks process as the supervisor sees it: runs while there are checks or virtual servers, reports verdicts and what
 * the load balancer does, answers questions.
 */
import type { Config } from "../config/config.ts";
import { type ConfigDiff, changesLvs } from "../config/diff.ts";
import type { Verdict } from "../healthchecks/health.ts";
import type { CheckParameters } from "../healthchecks/parameters.ts";
import type { CheckStatus } from "../healthchecks/status.ts";
import type { AdminEntry, LvsParameters } from "../lvs/parameters.ts";
import type { LvsEvent, LvsStatus } from "../lvs/status.ts";
import type { LatenessStatus } from "../socket/lateness.ts";
import type { Milliseconds } from "../vrrp/parameters.ts";
import type { StateName } from "../vrrp/status.ts";
import { tellChecks } from "./check-status.ts";
import { type ChecksReply, joinParts } from "./checks-parts.ts";
import { tellLvs } from "./lvs-silent.ts";
import type { ChecksPart, ChecksQuestion, FromChecks, ToChecks } from "./messages.ts";
import type { ProcessStatus } from "./process-status.ts";
import { RoleProcess, type RoleProcessOptions } from "./role-process.ts";
import { NoAnswer, StatusRequests } from "./status-requests.ts";
import { type NamedVerdict, Verdicts } from "./verdicts.ts";

export interface ChecksProcessOptions extends RoleProcessOptions {
  /** A check's verdict, advice or warning has changed; what it was before comes with it. */
  onChange(verdict: NamedVerdict, before: Verdict): void;
  onLvsEvent(event: LvsEvent): void;
  /** As far as they are known. */
  instances(): Iterable<readonly [name: string, state: StateName]>;
  /** What the operator says about servers. */
  admin(): readonly AdminEntry[];
  /**
   * An earlier run has left something: what it had changed for the load balancer and could not put back when it was
   * killed, or services of its own in the table.
   */
  readonly leftBehind?: () => boolean;
  readonly statusLimit?: Milliseconds;
}

export interface ChecksReport {
  readonly checks: readonly CheckStatus[];
  /** How late runs began; null when nobody tells. */
  readonly lateness: LatenessStatus | null;
  /** Undefined without virtual servers, or when nobody asked for them. */
  readonly lvs: LvsStatus | undefined;
}

const nothing: LvsParameters = { virtualServers: [], timeouts: {}, settings: {}, reconcileInterval: 10_000 };

export class ChecksProcess {
  readonly #options: ChecksProcessOptions;
  readonly #process: RoleProcess<ToChecks, FromChecks>;
  readonly #requests: StatusRequests<ChecksPart, LatenessStatus>;
  /** In force while the process is down; a new one goes on with them. */
  readonly #verdicts = new Verdicts();
  #checks: readonly CheckParameters[] = [];
  #lvs: LvsParameters | undefined;
  #tracked: readonly string[] = [];

  constructor(options: ChecksProcessOptions) {
    this.#options = options;
    this.#requests = new StatusRequests("the checks process", options.statusLimit ?? 2000);
    this.#process = new RoleProcess<ToChecks, FromChecks>(options, {
      name: "checks",
      needed: () => this.#needed(),
      startMessages: () => this.#startMessages(),
      receive: (message) => this.#receive(message),
      ask: () => this.#ask(undefined),
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

  verdict(check: string): Verdict | undefined {
    return this.#verdicts.get(check);
  }

  /** What was adopted, as a difference to the last; of the first one everything is new. */
  settle(diff: Pick<ConfigDiff, "checks" | "lvs">, config: Config): void {
    const { removed, changed, added } = diff.checks;
    // Who balanced has servers to drain, and settings to put back, when nothing is left of it in the file.
    const left = this.#lvs !== undefined || this.#options.leftBehind?.() === true;
    this.#lvs = config.lvs ?? (left ? nothing : undefined);
    const before = this.#tracked;
    this.#tracked = this.#lvs === undefined ? [] : trackedIn(config);
    const changesTracked = before.join("\n") !== this.#tracked.join("\n");
    this.#process.settle([
      ...removed.map(({ name }): ToChecks => ({ type: "remove", name })),
      ...changed.map((change): ToChecks => ({ type: "configure", parameters: change.new })),
      ...added.map((parameters) => this.#configure(parameters)),
      ...(changesLvs(diff.lvs) || changesTracked ? this.#balance() : this.#again()),
    ]);
  }

  /** An instance of ours is in another state. */
  instance(name: string, state: StateName): void {
    if (this.#lvs !== undefined) this.#process.settle([{ type: "instance", name, state }]);
  }

  /** The operator says something else about servers. */
  tellAdmin(): void {
    if (this.#lvs !== undefined) this.#process.settle([{ type: "admin", entries: this.#options.admin() }]);
  }

  /** In the order of the file. Without an answer, as far as it is known here. */
  async status(about: ChecksQuestion): Promise<ChecksReport> {
    const [checks, lvs] = [this.#checks, this.#lvs];
    if (!this.#needed()) return { checks: [], lateness: null, lvs: undefined };
    const told = await this.#ask(about).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    );
    return {
      checks: about.checks ? tellChecks(checks, this.#verdicts, typeof told === "string" ? told : told.checks) : [],
      lateness: typeof told === "string" ? null : told.lateness,
      lvs:
        about.virtualServers === "none" || lvs === undefined
          ? undefined
          : tellLvs(lvs, about.virtualServers, typeof told === "string" ? told : told.lvs, this.describe().since),
    };
  }

  /** Undefined when it runs or is not needed; otherwise why not. */
  notReady(): string | undefined {
    const { state } = this.#process;
    return state === "running" || !this.#needed() ? undefined : `the checks process is ${state}`;
  }

  /** There is a table in the kernel to leave in order. */
  get balances(): boolean {
    return this.#lvs !== undefined;
  }

  describe(): ProcessStatus {
    return this.#process.describe();
  }

  /** Lets the process end what it runs; kills it when that takes longer than `limit`. True when it ended in order. */
  stop(limit: Milliseconds): Promise<boolean> {
    return this.#process.stop(limit);
  }

  #needed(): boolean {
    return this.#checks.length > 0 || this.#lvs !== undefined;
  }

  #startMessages(): ToChecks[] {
    const { admin, instances } = this.#options;
    const balancing: ToChecks[] =
      this.#lvs === undefined
        ? []
        : [
            ...[...instances()].map(([name, state]): ToChecks => ({ type: "instance", name, state })),
            { type: "admin", entries: admin() },
            ...this.#balance(),
          ];
    return [...balancing, ...this.#checks.map((parameters) => this.#configure(parameters)), { type: "start" }];
  }

  #balance(): ToChecks[] {
    return this.#lvs === undefined ? [] : [{ type: "lvs", parameters: this.#lvs, tracked: this.#tracked }];
  }

  #again(): ToChecks[] {
    return this.#lvs === undefined ? [] : [{ type: "lvs-again" }];
  }

  async #ask(about: ChecksQuestion | undefined): Promise<ChecksReply & { readonly lateness: LatenessStatus }> {
    const { state } = this.#process;
    if (state !== "running") throw new NoAnswer(`the checks process is ${state}`);
    const question = about === undefined ? {} : { about };
    const { items, end } = await this.#requests.ask((id) => this.#process.send({ type: "status", id, ...question }));
    return { ...joinParts(items), lateness: end };
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
      case "lvs-event":
        this.#options.onLvsEvent(message.event);
        return;
      case "status":
        this.#requests.item(message.id, message.part);
        return;
      case "status-end":
        this.#requests.end(message.id, message.lateness);
        return;
      default:
        message satisfies never;
    }
  }
}

/** Checks that instances and groups go by. */
function trackedIn({ instances, groups = [] }: Config): string[] {
  const tracks = [...instances, ...groups].flatMap(({ track }) => track.filter(({ what }) => what === "check"));
  return [...new Set(tracks.map(({ name }) => name))];
}
