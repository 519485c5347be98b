/** A kernel's sync daemons, timeouts and settings, and the interfaces of its host, without the kernel. */
import type { HostPort } from "../../src/lvs/lvs-host.ts";
import type { Surroundings } from "../../src/lvs/surroundings.ts";
import type { KernelSyncDaemon, SyncRole } from "../../src/lvs/table.ts";
import { NetlinkError } from "../../src/netlink/error.ts";
import { ErrorNumber } from "../../src/socket/errno.ts";
import { facts, kernelDefaults } from "../lvs/samples.ts";

export class SimulatedLvsHost implements HostPort, Surroundings {
  time = 0;
  loaded = true;
  readonly daemons = new Map<SyncRole, KernelSyncDaemon>();
  readonly interfaces = new Map([
    ["eth1", 2],
    ["eth2", 3],
  ]);
  readonly values = new Map(Object.entries(kernelDefaults));
  times = { tcp: 900_000, tcpFin: 120_000, udp: 300_000 };
  /** Errors of the next starts of a sync daemon. */
  readonly refusals: number[] = [];
  /** What was done to it, in order. */
  readonly calls: string[] = [];

  now(): number {
    return this.time;
  }

  async info() {
    if (!this.loaded) throw new NetlinkError("ask the kernel for IPVS", ErrorNumber.ENOENT, "there is no family IPVS");
    return { version: "1.2.1", connectionTableSize: 4096 };
  }

  async timeouts() {
    return this.times;
  }

  async setTimeouts(timeouts: Parameters<HostPort["setTimeouts"]>[0]): Promise<void> {
    this.calls.push(`timeouts ${JSON.stringify(timeouts)}`);
    this.times = { ...this.times, ...timeouts };
  }

  async syncDaemons(): Promise<KernelSyncDaemon[]> {
    return [...this.daemons.values()];
  }

  async startSyncDaemon(daemon: KernelSyncDaemon): Promise<void> {
    const { role, parameters } = daemon;
    this.calls.push(`start ${role} on ${parameters.interface}`);
    const what = `start sync ${role} on ${parameters.interface}`;
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw new NetlinkError(what, refusal);
    if (!this.interfaces.has(parameters.interface)) throw new NetlinkError(what, ErrorNumber.ENODEV);
    if (this.daemons.has(role)) throw new NetlinkError(what, ErrorNumber.EEXIST);
    this.daemons.set(role, { role, parameters: { maximumLength: 1472, ...parameters } });
  }

  async stopSyncDaemon(role: SyncRole): Promise<void> {
    this.calls.push(`stop ${role}`);
    if (!this.daemons.delete(role)) throw new NetlinkError(`stop sync ${role}`, ErrorNumber.ESRCH);
  }

  async facts(modules: readonly string[]) {
    return { ...facts(), settings: this.values, modules: new Map(modules.map((name) => [name, "loaded" as const])) };
  }

  interfaceIndex(name: string): number {
    return this.interfaces.get(name) ?? 0;
  }

  readonly settings = {
    read: async (names: readonly string[]) => new Map([...this.values].filter(([name]) => names.includes(name))),
    write: async (name: string, value: string) => {
      this.calls.push(`${name}=${value}`);
      this.values.set(name, value);
    },
  };
}
