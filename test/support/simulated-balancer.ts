/** A balancer on a simulated kernel, in virtual time. */
import { Balancer } from "../../src/lvs/balancer.ts";
import type { BalancerClock } from "../../src/lvs/balancer-clock.ts";
import type {
  AdminEntry,
  LvsParameters,
  RealServerParameters,
  ServiceAddress,
  VirtualServerParameters,
} from "../../src/lvs/parameters.ts";
import type { LvsEvent, TableStatus } from "../../src/lvs/status.ts";
import type { Operation } from "../../src/lvs/table.ts";
import type { Note } from "../../src/lvs/table-note.ts";
import { SimulatedIpvs } from "./simulated-ipvs.ts";

export function service(address = "192.0.2.10", port = 80, protocol: "tcp" | "udp" = "tcp"): ServiceAddress {
  return { kind: "address", family: 4, protocol, address, port };
}

/** `n` is the last part of its address, and of the name of its check. */
export function realServer(n: number, changes: Partial<RealServerParameters> = {}): RealServerParameters {
  return {
    name: `192.0.2.${n}:80`,
    family: 4,
    address: `192.0.2.${n}`,
    port: 80,
    forwarding: { method: "dr" },
    weight: 1,
    upperThreshold: 0,
    lowerThreshold: 0,
    checks: [`c${n}`],
    onFailure: { action: "remove" },
    alpha: true,
    ...changes,
  };
}

export function virtualServer(changes: Partial<VirtualServerParameters> = {}): VirtualServerParameters {
  return {
    name: "web",
    services: [service()],
    scheduler: { name: "wlc", fallback: false, port: false, flags: [] },
    onePacket: false,
    servers: [realServer(21), realServer(22)],
    quorum: 1,
    hysteresis: 0,
    omega: false,
    panicThreshold: 0,
    slowStart: 0,
    drainTimeout: 60_000,
    onDrift: "repair",
    onStop: "keep",
    ...changes,
  };
}

export function lvs(...virtualServers: readonly VirtualServerParameters[]): LvsParameters {
  return { virtualServers, timeouts: {}, settings: {}, reconcileInterval: 5000 };
}

export const adminEntry = (n: number, what: AdminEntry["what"], changes: Partial<AdminEntry> = {}): AdminEntry => ({
  address: `192.0.2.${n}`,
  what,
  since: 0,
  by: "root (uid 0)",
  ...changes,
});

interface Alarm {
  readonly at: number;
  readonly run: () => void;
}

export class VirtualTime implements BalancerClock {
  instant = 1000;
  /** Of instant 0, in milliseconds since 1970. */
  readonly epoch = Date.UTC(2026, 0, 1);
  readonly #alarms = new Set<Alarm>();
  readonly #soon: (() => void)[] = [];

  /** The same time, without the alarms: those of a process that died. */
  fork(): VirtualTime {
    const time = new VirtualTime();
    time.instant = this.instant;
    return time;
  }

  now() {
    return { instant: this.instant, wall: this.epoch + this.instant };
  }

  at(instant: number, run: () => void): () => void {
    const alarm = { at: instant, run };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** Until nothing more happens without time going on. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 1000; turn++) {
      const run = this.#soon.shift();
      if (run === undefined) {
        // What is awaited in a turn of the loop is settled by its end.
        await new Promise((resolve) => setImmediate(resolve));
        if (this.#soon.length === 0) return;
      } else run();
    }
    throw new Error("it does not come to rest");
  }

  async advance(duration: number): Promise<void> {
    const end = this.instant + duration;
    await this.settle();
    for (let turn = 0; turn < 100_000; turn++) {
      const next = [...this.#alarms].reduce<Alarm | undefined>(
        (a, b) => (a !== undefined && a.at <= b.at ? a : b),
        undefined,
      );
      if (next === undefined || next.at > end) {
        this.instant = end;
        return;
      }
      this.#alarms.delete(next);
      this.instant = Math.max(this.instant, next.at);
      next.run();
      await this.settle();
    }
    throw new Error("alarms without end");
  }
}

export class SimulatedBalancer {
  readonly kernel: SimulatedIpvs;
  readonly time: VirtualTime;
  readonly events: LvsEvent[] = [];
  readonly balancer: Balancer;

  readonly rests: ReadonlySet<string>[] = [];

  constructor(kernel = new SimulatedIpvs(), time = new VirtualTime(), note?: Note) {
    this.kernel = kernel;
    this.time = time;
    this.balancer = new Balancer({
      port: kernel,
      clock: time,
      event: (event) => this.events.push(event),
      rest: (checks) => this.rests.push(checks),
      ...(note === undefined ? {} : { note }),
    });
  }

  async start(parameters: LvsParameters): Promise<void> {
    this.balancer.configure(parameters);
    this.balancer.start();
    await this.time.settle();
  }

  async reload(parameters: LvsParameters): Promise<void> {
    this.balancer.configure(parameters);
    await this.time.settle();
  }

  async up(...servers: readonly number[]): Promise<void> {
    for (const n of servers) this.balancer.verdict(`c${n}`, true, "answers");
    await this.time.settle();
  }

  async down(...servers: readonly number[]): Promise<void> {
    for (const n of servers) this.balancer.verdict(`c${n}`, false, "refused");
    await this.time.settle();
  }

  async admin(...entries: readonly AdminEntry[]): Promise<void> {
    this.balancer.admin(entries);
    await this.time.settle();
  }

  async status(): Promise<TableStatus> {
    const status = this.balancer.status();
    await this.time.settle();
    return status;
  }

  async stop(): Promise<void> {
    const stopped = this.balancer.stop();
    await this.time.settle();
    await stopped;
  }

  /** Operations asked for since the last call, as text. */
  operations(): string[] {
    return this.kernel.asked.splice(0).map(shortOperation);
  }

  /** Events told since the last call, as text. */
  told(): string[] {
    return this.events.splice(0).map(shortEvent);
  }
}

function shortOperation(operation: Operation): string {
  switch (operation.type) {
    case "add-service":
    case "edit-service":
    case "delete-service":
      return operation.type;
    case "add-destination":
    case "edit-destination":
      return `${operation.type} ${operation.settings.address} ${operation.settings.weight}`;
    case "delete-destination":
      return `${operation.type} ${operation.address}`;
  }
}

function shortEvent(event: LvsEvent): string {
  switch (event.type) {
    case "server":
      return `${event.server} ${event.from} → ${event.to}: ${event.reason}`;
    case "quorum":
      return `quorum ${event.up ? "up" : "down"}: ${event.reason}`;
    case "sorry_server":
      return `sorry server ${event.standing_in ? "in" : "out"}: ${event.reason}`;
    case "drift":
      return `drift${event.repaired ? " repaired" : ""}: ${event.message}`;
    case "lvs_warning":
      return `warning: ${event.message}`;
  }
}
