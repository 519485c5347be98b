/** The VRRP process as the supervisor sees it: what it is told about instances, and the questions it answers. */

import type { Config } from "../config/config.ts";
import type { ConfigDiff } from "../config/diff.ts";
import type { Milliseconds } from "../vrrp/parameters.ts";
import type { InstanceStatus, VrrpEvent } from "../vrrp/status.ts";
import type { FromVrrp, ToVrrp } from "./messages.ts";
import type { ProcessStatus } from "./process-status.ts";
import { hasWork, reloadMessages, startMessages, verdictMessage } from "./reload-plan.ts";
import { RoleProcess, type RoleProcessOptions } from "./role-process.ts";
import { NoAnswer, StatusRequests } from "./status-requests.ts";
import type { NamedVerdict } from "./verdicts.ts";

export interface VrrpReply extends VrrpReplyEnd {
  readonly instances: readonly InstanceStatus[];
}

type VrrpReplyEnd = Omit<Extract<FromVrrp, { readonly type: "status-end" }>, "type" | "id">;

export interface VrrpProcessOptions extends RoleProcessOptions {
  /** What the checks have found: a new process is told before it starts. */
  verdicts(): readonly NamedVerdict[];
  onEvent(event: VrrpEvent): void;
  onHopeless(): void;
  readonly statusLimit?: Milliseconds;
}

export class VrrpProcess {
  readonly #options: VrrpProcessOptions;
  readonly #process: RoleProcess<ToVrrp, FromVrrp>;
  readonly #requests: StatusRequests<InstanceStatus, VrrpReplyEnd>;
  #config: Config | undefined;

  constructor(options: VrrpProcessOptions) {
    this.#options = options;
    this.#requests = new StatusRequests("the vrrp process", options.statusLimit ?? 2000);
    this.#process = new RoleProcess<ToVrrp, FromVrrp>(options, {
      name: "vrrp",
      needed: () => this.#config !== undefined && hasWork(this.#config),
      startMessages: () => (this.#config === undefined ? [] : this.#startMessages(this.#config)),
      receive: (message) => this.#receive(message),
      // No instance has an empty name: the answer is the shortest there is.
      ask: () => this.status(""),
      ended: (why) => this.#requests.fail(why),
      killed: "its leases expire",
      hopeless: () => options.onHopeless(),
    });
  }

  /** Starts the process before there is a configuration: it loads while the file is read and checked. */
  prepare(): void {
    this.#process.prepare();
  }

  /** The first configuration. */
  configure(config: Config): void {
    this.#config = config;
    this.#process.settle(this.#startMessages(config));
  }

  /** A later configuration, and its difference to the last. */
  change(config: Config, diff: ConfigDiff): void {
    this.#config = config;
    this.#process.settle(reloadMessages(diff, config));
  }

  /** A check found something else than before, or is new. */
  verdict(verdict: NamedVerdict): void {
    this.#process.settle([verdictMessage(verdict)]);
  }

  async status(instance: string | undefined): Promise<VrrpReply> {
    const { state } = this.#process;
    if (state !== "running") throw new NoAnswer(`the vrrp process is ${state}`);
    const { items, end } = await this.#requests.ask((id) =>
      this.#process.send({ type: "status", id, ...(instance === undefined ? {} : { instance }) }),
    );
    return { instances: items, ...end };
  }

  describe(): ProcessStatus {
    return this.#process.describe();
  }

  /** Lets the process give up its roles; kills it when that takes longer than `limit`. True when it ended in order. */
  stop(limit: Milliseconds): Promise<boolean> {
    return this.#process.stop(limit);
  }

  #startMessages(config: Config): ToVrrp[] {
    return startMessages(config, this.#options.verdicts());
  }

  #receive(message: FromVrrp): void {
    switch (message.type) {
      case "event":
        this.#options.onEvent(message.event);
        return;
      case "status":
        this.#requests.item(message.id, message.instance);
        return;
      case "status-end":
        this.#requests.end(message.id, message);
        return;
      default:
        message satisfies never;
    }
  }
}
