/**
 * The IPVS of a kernel, by its rules: what exists cannot be added, what is missing cannot be changed; new destinations come
 * first in the list; a deleted one keeps its connections in the trash and has them again when it is added.
 * Others can change it, and it can refuse.
 */
import type { ServiceAddress, TimeoutParameters } from "../../src/lvs/parameters.ts";
import {
  type DestinationSettings,
  type IpvsPort,
  type KernelDestination,
  type KernelInfo,
  type KernelService,
  type KernelSyncDaemon,
  noTraffic,
  type Operation,
  type OperationResult,
  type ServiceSettings,
  type SyncRole,
  type Traffic,
} from "../../src/lvs/table.ts";
import { formatNote, type Noted, parseNote } from "../../src/lvs/table-note.ts";
import { operationText, serverText, serviceText } from "../../src/lvs/text.ts";
import { ErrorNumber, errnoName } from "../../src/socket/errno.ts";

interface Destination {
  settings: DestinationSettings;
  active: number;
  inactive: number;
  persistent: number;
  traffic: Traffic;
}

interface Service {
  readonly address: ServiceAddress;
  settings: ServiceSettings;
  /** The newest first. */
  destinations: Destination[];
  readonly trash: Map<string, Destination>;
}

export class SimulatedIpvs implements IpvsPort {
  readonly table = new Map<string, Service>();
  /** Every operation that was asked for, in order, done or not. */
  readonly asked: Operation[] = [];
  /** Asked before each operation: an error number refuses it. */
  refuse: (operation: Operation) => number | undefined = () => undefined;
  /** Asked before every request; what it throws is what the request rejects with. */
  fail: () => void = () => {};
  /** Called after every operation that was done. */
  watch: (operation: Operation) => void = () => {};
  dumps = 0;
  #timeouts = { tcp: 900_000, tcpFin: 120_000, udp: 300_000 };

  async services(): Promise<KernelService[]> {
    await this.#request();
    return [...this.table.values()].map(({ address, settings }) => ({ address, settings, traffic: noTraffic }));
  }

  async destinations(service: ServiceAddress): Promise<KernelDestination[]> {
    await this.#request();
    this.dumps++;
    const found = this.table.get(serviceText(service));
    return (found?.destinations ?? []).map((destination) => ({ ...destination }));
  }

  async apply(operations: readonly Operation[]): Promise<OperationResult[]> {
    await this.#request();
    return operations.map((operation) => {
      this.asked.push(operation);
      const errno = this.refuse(operation) ?? this.perform(operation);
      if (errno === undefined) {
        this.watch(operation);
        return undefined;
      }
      return { errno, message: `${operationText(operation)}: ${errnoName(errno)}` };
    });
  }

  async fingerprint(): Promise<string> {
    await this.#request();
    return JSON.stringify(
      [...this.table.values()].map(({ address, settings, destinations }) => [
        serviceText(address),
        settings.scheduler,
        destinations.map((each) => [keyOf(each.settings), each.settings.weight, each.settings.forwarding.method]),
      ]),
    );
  }

  info(): Promise<KernelInfo> {
    return Promise.resolve({ version: "1.2.1", connectionTableSize: 4096 });
  }

  timeouts(): Promise<Required<TimeoutParameters>> {
    return Promise.resolve(this.#timeouts);
  }

  setTimeouts(timeouts: TimeoutParameters): Promise<void> {
    this.#timeouts = { ...this.#timeouts, ...timeouts };
    return Promise.resolve();
  }

  syncDaemons(): Promise<KernelSyncDaemon[]> {
    return Promise.resolve([]);
  }

  startSyncDaemon(_daemon: KernelSyncDaemon): Promise<void> {
    return Promise.resolve();
  }

  stopSyncDaemon(_role: SyncRole): Promise<void> {
    return Promise.resolve();
  }

  close(): void {}

  /** As anybody may do it. */
  perform(operation: Operation): number | undefined {
    const name = serviceText(operation.service);
    const service = this.table.get(name);
    switch (operation.type) {
      case "add-service":
        if (service !== undefined) return ErrorNumber.EEXIST;
        this.table.set(name, {
          address: operation.service,
          settings: operation.settings,
          destinations: [],
          trash: new Map(),
        });
        return undefined;
      case "edit-service":
        if (service === undefined) return ErrorNumber.ESRCH;
        service.settings = operation.settings;
        return undefined;
      case "delete-service":
        return this.table.delete(name) ? undefined : ErrorNumber.ESRCH;
      case "add-destination":
        return service === undefined ? ErrorNumber.ESRCH : addDestination(service, operation.settings);
      case "edit-destination": {
        const found = service?.destinations.find((each) => keyOf(each.settings) === keyOf(operation.settings));
        if (service === undefined) return ErrorNumber.ESRCH;
        if (found === undefined) return ErrorNumber.ENOENT;
        if (!possible(operation.settings)) return ErrorNumber.ERANGE;
        found.settings = operation.settings;
        return undefined;
      }
      case "delete-destination": {
        const at = service?.destinations.findIndex((each) => keyOf(each.settings) === keyOf(operation)) ?? -1;
        if (service === undefined) return ErrorNumber.ESRCH;
        const [gone] = at < 0 ? [] : service.destinations.splice(at, 1);
        if (gone === undefined) return ErrorNumber.ENOENT;
        service.trash.set(keyOf(gone.settings), gone);
        return undefined;
      }
    }
  }

  /** One that is there. */
  destination(service: ServiceAddress, server: string): Destination {
    const found = this.table.get(serviceText(service))?.destinations.find((each) => keyOf(each.settings) === server);
    if (found === undefined) throw new Error(`${serviceText(service)} has no ${server}`);
    return found;
  }

  /** "tcp 192.0.2.10:80 wlc": each server with its weight, in the order of the kernel. */
  text(): Record<string, string[]> {
    return Object.fromEntries(
      [...this.table.values()].map(({ address, settings, destinations }) => [
        `${serviceText(address)} ${settings.scheduler}`,
        destinations.map(
          (each) => `${keyOf(each.settings)} ${each.settings.forwarding.method} ${each.settings.weight}`,
        ),
      ]),
    );
  }

  /** Takes a turn of the loop, as the real one does, and may fail as a whole. */
  async #request(): Promise<void> {
    await Promise.resolve();
    this.fail();
  }
}

function addDestination(service: Service, settings: DestinationSettings): number | undefined {
  const key = keyOf(settings);
  if (service.destinations.some((each) => keyOf(each.settings) === key)) return ErrorNumber.EEXIST;
  if (!possible(settings)) return ErrorNumber.ERANGE;
  const revived = service.trash.get(key) ?? { active: 0, inactive: 0, persistent: 0, traffic: noTraffic };
  service.trash.delete(key);
  service.destinations.unshift({ ...revived, settings });
  return undefined;
}

function possible({ weight, upperThreshold, lowerThreshold }: DestinationSettings): boolean {
  return weight >= 0 && lowerThreshold <= upperThreshold;
}

function keyOf({ family, address, port }: Pick<DestinationSettings, "family" | "address" | "port">): string {
  return serverText(family, address, port);
}

/** The kernel as a process sees it that may die at any instruction: afterwards nothing is done and nothing answers. */
export class MortalPort extends SimulatedIpvs {
  readonly #kernel: SimulatedIpvs;
  #left = Number.POSITIVE_INFINITY;

  constructor(kernel: SimulatedIpvs) {
    super();
    this.#kernel = kernel;
  }

  dieAfter(operations: number): void {
    this.#left = operations;
  }

  override services(): Promise<KernelService[]> {
    return this.#alive(() => this.#kernel.services());
  }

  override destinations(service: ServiceAddress): Promise<KernelDestination[]> {
    return this.#alive(() => this.#kernel.destinations(service));
  }

  override fingerprint(): Promise<string> {
    return this.#alive(() => this.#kernel.fingerprint());
  }

  override async apply(operations: readonly Operation[]): Promise<OperationResult[]> {
    const done = operations.slice(0, this.#left);
    this.#left -= done.length;
    const results = await this.#kernel.apply(done);
    return this.#alive(() => Promise.resolve(results));
  }

  #alive<T>(answer: () => Promise<T>): Promise<T> {
    return this.#left > 0 ? answer() : new Promise(() => {});
  }
}

/** A note that is always written whole. */
export class MemoryNote {
  #text: string | undefined;

  read(): { readonly noted: readonly Noted[] } {
    return { noted: this.#text === undefined ? [] : parseNote(JSON.parse(this.#text)) };
  }

  write(units: readonly Noted[]): undefined {
    this.#text = JSON.stringify(formatNote(units));
  }
}
