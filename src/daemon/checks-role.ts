/**
 * The checks process: runs the health checks it is told of and reports when a verdict changes. It may be slow, spawn and
 * wait for others: nothing of VRRP is in here.
 */

import { HealthChecks } from "../healthchecks/health-checks.ts";
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
    this.#outbox = new Outbox(() => this.#tellAll());
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
        if (message.checks) {
          for (const check of this.#checks.status()) this.#outbox.send({ type: "status", id: message.id, check });
        }
        this.#outbox.send({ type: "status-end", id: message.id });
        break;
      case "stop":
        void this.#stop(0);
        break;
      default:
        message satisfies never;
    }
  }

  /** Verdicts may be among the messages that a supervisor that stood still has missed. */
  #tellAll(): void {
    for (const verdict of this.#checks.verdicts()) this.#outbox.send({ type: "verdict", ...verdict });
  }

  async #stop(code: number): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    await Promise.race([this.#checks.stop(), new Promise((resolve) => setTimeout(resolve, stopLimit))]);
    this.#outbox.exit({ type: "stopped" }, code, exitLimit);
  }
}
