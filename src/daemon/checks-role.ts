/**
 * The checks process: runs the health checks it is told of and reports when a verdict changes. It may be slow, spawn and
 * wait for others: nothing of VRRP is in here.
 */

import { HealthChecks, type NamedVerdict } from "../healthchecks/health-checks.ts";
import type { CheckStatus } from "../healthchecks/status.ts";
import { liveAsChild } from "./child-life.ts";
import type { FromChecks, FromChild, ToChecks } from "./messages.ts";
import { Outbox } from "./outbox.ts";

/** Scripts that were told to end get two seconds before they are killed; then this process goes. */
const stopLimit = 4000;
const exitLimit = 500;

export function runChecksRole(): void {
  if (process.send === undefined) {
    process.stderr.write("viprd internal checks: started by viprd run only\n");
    process.exitCode = 2;
    return;
  }
  new ChecksRole().run();
}

class ChecksRole {
  readonly #outbox: Outbox<FromChild | FromChecks>;
  readonly #checks: HealthChecks;
  #stopping = false;

  constructor() {
    this.#outbox = new Outbox(() => void this.#tellAll());
    this.#checks = new HealthChecks((verdict) => this.#outbox.send({ type: "verdict", ...verdict }));
  }

  run(): void {
    liveAsChild<ToChecks>({
      role: "checks",
      obey: (message) => this.#obey(message),
      stop: (code) => void this.#stop(code),
      ready: () => this.#outbox.send({ type: "ready" }),
    });
  }

  #obey(message: ToChecks): void {
    if (this.#stopping) return;
    switch (message.type) {
      case "configure":
        this.#checks.configure(message.parameters, message.known);
        break;
      case "remove":
        this.#checks.remove(message.name);
        break;
      case "start":
        this.#checks.start();
        this.#outbox.send({ type: "started" });
        break;
      case "status":
        void this.#tellStatus(message.id, message.checks);
        break;
      case "stop":
        void this.#stop(0);
        break;
      default:
        message satisfies never;
    }
  }

  /** Of thousands not all at once: runs that are due meanwhile begin in time. */
  async #tellStatus(id: number, checks: boolean): Promise<void> {
    if (checks) await this.#outbox.sendAll(statusMessages(id, this.#checks.status()));
    this.#outbox.send({ type: "status-end", id, lateness: this.#checks.lateness() });
  }

  /** Verdicts may be among the messages that a supervisor that stood still has missed. */
  #tellAll(): Promise<void> {
    return this.#outbox.sendAll(verdictMessages(this.#checks.verdicts()));
  }

  async #stop(code: number): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    await Promise.race([this.#checks.stop(), new Promise((resolve) => setTimeout(resolve, stopLimit))]);
    this.#outbox.exit({ type: "stopped" }, code, exitLimit);
  }
}

function* statusMessages(id: number, all: Iterable<CheckStatus>): Generator<FromChecks> {
  for (const check of all) yield { type: "status", id, check };
}

function* verdictMessages(all: Iterable<NamedVerdict>): Generator<FromChecks> {
  for (const verdict of all) yield { type: "verdict", ...verdict };
}
