/**
 * The VRRP process: obeys the supervisor's messages and reports to it. It never waits for the supervisor, and without
 * one it gives up its roles: nobody would tell it to stop any more.
 */

import { readFileSync } from "node:fs";
import { describeLateness } from "../socket/lateness.ts";
import { lockMemory, setNice, setRealtime } from "../socket/scheduling.ts";
import { Engine, type EngineReports } from "../vrrp/engine.ts";
import type { ProcessParameters } from "../vrrp/parameters.ts";
import { rehearse } from "../vrrp/rehearsal.ts";
import type { InstanceStatus } from "../vrrp/status.ts";
import { liveAsChild } from "./child-life.ts";
import type { FromChild, FromVrrp, Lateness, LogLevel, ToVrrp } from "./messages.ts";
import { Outbox } from "./outbox.ts";
import { settingsNote } from "./paths.ts";

/** Snapshots sent in one turn of the loop. */
const snapshotsPerTurn = 8;
const stopLimit = 1000;
/** linux/capability.h */
const neededCapabilities = { CAP_NET_ADMIN: 12, CAP_NET_RAW: 13 };
/** EX_NOPERM: starting again would change nothing. */
const cannotRun = 77;

/** `runtimeDirectory` is where it notes what a later run must know. */
export function runVrrpRole(runtimeDirectory: string | undefined): void {
  if (process.send === undefined) {
    process.stderr.write("viprd internal vrrp: started by viprd run only\n");
    process.exitCode = 2;
    return;
  }
  try {
    requireCapabilities();
    new VrrpRole(runtimeDirectory).run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof MissingCapability ? cannotRun : 1;
    const report = { type: "log", level: "error", message } satisfies FromChild;
    process.send(report, undefined, undefined, () => process.exit(code));
  }
}

class MissingCapability extends Error {}

/** Without these a router would win elections and then not hold the address. */
function requireCapabilities(): void {
  const text = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  const effective = BigInt(`0x${text ?? "0"}`);
  const missing = Object.entries(neededCapabilities).filter(([, bit]) => ((effective >> BigInt(bit)) & 1n) === 0n);
  if (missing.length > 0)
    throw new MissingCapability(`cannot run without ${missing.map(([name]) => name).join(" and ")}`);
}

class VrrpRole {
  readonly #engine: Engine;
  readonly #outbox = new Outbox<FromChild | FromVrrp>();
  #stopping = false;

  constructor(runtimeDirectory: string | undefined) {
    const reports: EngineReports = {
      log: (level, instance, message, fields) =>
        this.#log(level, message, {
          ...(instance === undefined ? {} : { instance }),
          ...(fields === undefined ? {} : { fields }),
        }),
      event: (event) => this.#outbox.send({ type: "event", event }),
    };
    this.#engine = new Engine(reports, runtimeDirectory === undefined ? undefined : settingsNote(runtimeDirectory));
  }

  run(): void {
    liveAsChild<ToVrrp>({
      role: "vrrp",
      obey: (message) => this.#obey(message),
      stop: (code) => void this.#stop(code),
      ready: () => this.#outbox.send({ type: "ready" }),
    });
  }

  #obey(message: ToVrrp): void {
    if (this.#stopping) return;
    switch (message.type) {
      case "process":
        this.#prepareProcess(message.parameters);
        break;
      case "configure":
        this.#engine.configure(message.parameters);
        break;
      case "statics":
        this.#engine.configureStatics(message.parameters);
        break;
      case "groups":
        this.#engine.groups.configure(message.groups);
        break;
      case "remove":
        this.#engine.remove(message.name, message.why);
        break;
      case "verdict":
        this.#engine.verdict(message.check, message.up, message.reason);
        break;
      case "start":
        void this.#start();
        break;
      case "status":
        this.#report(message.id, message.instance);
        break;
      case "stop":
        void this.#stop(0);
        break;
      default:
        message satisfies never;
    }
  }

  async #start(): Promise<void> {
    try {
      await this.#engine.start();
      this.#outbox.send({ type: "started" });
      await rehearse(() => new Promise((resolve) => setTimeout(resolve, 5)), this.#engine.authenticates);
    } catch (error) {
      this.#log("error", error instanceof Error ? error.message : String(error));
      await this.#stop(1);
    }
  }

  /** What the system refuses here is a loss of precision, not of service: told, and gone on without. */
  #prepareProcess({ realtimePriority, nice, lockMemory: lock }: ProcessParameters): void {
    const attempts: (() => void)[] = [];
    if (nice !== 0) attempts.push(() => setNice(nice));
    if (realtimePriority !== undefined) attempts.push(() => setRealtime(realtimePriority));
    if (lock) attempts.push(lockMemory);
    for (const attempt of attempts) {
      try {
        attempt();
      } catch (error) {
        this.#log("error", error instanceof Error ? error.message : String(error));
      }
    }
  }

  /** A thousand snapshots are not made in one go: advertisements come in between. */
  #report(id: number, name: string | undefined): void {
    const one = name === undefined ? undefined : this.#engine.instanceStatus(name);
    const snapshots = name === undefined ? this.#engine.status() : one === undefined ? [] : [one];
    const iterator = snapshots[Symbol.iterator]();
    const next = (): void => {
      for (let i = 0; i < snapshotsPerTurn; i++) {
        const { value, done } = iterator.next() as IteratorResult<InstanceStatus, undefined>;
        if (done === true || value === undefined) {
          this.#endReport(id);
          return;
        }
        this.#outbox.send({ type: "status", id, instance: value });
      }
      setImmediate(next);
    };
    next();
  }

  #endReport(id: number): void {
    this.#outbox.send({
      type: "status-end",
      id,
      interfaces: this.#engine.interfaces(),
      settings: this.#engine.settings.status(),
      statics: this.#engine.statics.status(),
      groups: this.#engine.groups.status(),
      dropped: this.#outbox.dropped,
      lateness: tellLateness(this.#engine),
    });
  }

  async #stop(code: number): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    // The kernel has taken the last advertisements and deletions when stop() returns; only its answers are waited for.
    const answers = this.#engine.stop().catch((error: unknown) => {
      process.stderr.write(`viprd vrrp process: ${error instanceof Error ? error.message : String(error)}\n`);
    });
    await Promise.race([answers, new Promise((resolve) => setTimeout(resolve, stopLimit))]);
    this.#outbox.exit({ type: "stopped" }, code, stopLimit);
  }

  #log(level: LogLevel, message: string, more: Pick<FromChild & { type: "log" }, "instance" | "fields"> = {}): void {
    this.#outbox.send({ type: "log", level, message, ...more });
  }
}

function tellLateness({ lateness, stalls }: Engine): Lateness {
  return {
    ...describeLateness(lateness),
    stalls: stalls.count,
    stalled_ms: Math.round(stalls.total),
    last_stall: stalls.last,
  };
}
