/** The kernel's load balancer over generic netlink: reads the table and changes it. */
import { setTimeout as pause, setImmediate as turnOfTheLoop } from "node:timers/promises";
import { sendingAside } from "../netlink/aside.ts";
import { Connection, NetlinkError, type Request } from "../netlink/connection.ts";
import { resolveFamily } from "../netlink/generic.ts";
import { openTransport } from "../netlink/transport.ts";
import { NETLINK_GENERIC } from "../socket/constants.ts";
import { ErrorNumber } from "../socket/errno.ts";
import * as k from "./constants.ts";
import { decodeDestination } from "./destination-codec.ts";
import type { ServiceAddress, TimeoutParameters } from "./parameters.ts";
import { procFingerprint, whyNoIpvs } from "./proc-table.ts";
import { invalid, type Meanings, privilege, refusal, startMeanings, stopMeanings, zeroMeanings } from "./refusal.ts";
import {
  encodeServiceCommand,
  encodeSetTimeouts,
  encodeStartSyncDaemon,
  encodeStopSyncDaemon,
  OperationEncoder,
} from "./requests.ts";
import { decodeService } from "./service-codec.ts";
import { decodeInfo, decodeSyncDaemon, decodeTimeouts, type KernelInfo } from "./sync-codec.ts";
import type {
  IpvsPort,
  KernelDestination,
  KernelService,
  KernelSyncDaemon,
  Operation,
  OperationResult,
  SyncRole,
} from "./table.ts";
import { operationText, serverText, serviceText, syncDaemonText } from "./text.ts";
import { Turns } from "./turns.ts";
import { validateOperation, validateSyncDaemon, validateTimeouts } from "./validate.ts";

export interface IpvsOptions {
  /** A dump had entries twice: somebody else changed the table meanwhile. It is taken again, a few times. */
  readonly raced?: (what: string) => void;
  /** Where the table is shown as text; tests have other files. */
  readonly proc?: string;
}

// A scheduler's first service makes the kernel wait for modprobe.
const timeout = 30_000;
const receiveBuffer = 4 * 1024 * 1024;
const batchSize = 4;
/** Requests of one system call, some 30 KiB. While the kernel obeys them on its thread the next are made ready. */
const perSend = 250;
/** Requests handed over before their answers are waited for: refusals of all of them fit into the receive queue. */
const inFlight = 1000;
const dumpAttempts = 3;
const busyAttempts = 10;
const busyPause = 20;

/**
 * Opens the client. Rejects with words that say what to do when the kernel has no IPVS, or does not let us.
 * Requests are sent from another thread: the kernel has one lock for all IPVS tables, and may load a module meanwhile.
 */
export async function openIpvs(options: IpvsOptions = {}): Promise<Ipvs> {
  const transport = openTransport("netlink socket for IPVS", { protocol: NETLINK_GENERIC, receiveBuffer, batchSize });
  const connection = new Connection(sendingAside(transport), { timeout, perSend });
  const ipvs = new Ipvs(connection, options);
  try {
    await ipvs.info();
    return ipvs;
  } catch (error) {
    ipvs.close();
    throw error;
  }
}

export class Ipvs implements IpvsPort {
  readonly #connection: Connection;
  readonly #options: IpvsOptions;
  readonly #turns = new Turns();
  /** The number of the family; unknown until asked for, and again when the module may have been loaded anew. */
  #family: number | undefined;

  constructor(connection: Connection, options: IpvsOptions = {}) {
    this.#connection = connection;
    this.#options = options;
  }

  info(): Promise<KernelInfo> {
    const body = encodeServiceCommand(k.IPVS_CMD_GET_INFO);
    return this.#get("read the version of IPVS", body, decodeInfo);
  }

  services(): Promise<KernelService[]> {
    const body = encodeServiceCommand(k.IPVS_CMD_GET_SERVICE);
    return this.#dump("list services", body, decodeService, ({ address }) => serviceText(address));
  }

  /** One service; undefined when it is not there. */
  async service(address: ServiceAddress): Promise<KernelService | undefined> {
    const body = encodeServiceCommand(k.IPVS_CMD_GET_SERVICE, address);
    try {
      return await this.#get(`read ${serviceText(address)}`, body, decodeService);
    } catch (error) {
      if (error instanceof NetlinkError && error.errno === ErrorNumber.ESRCH) return undefined;
      throw error;
    }
  }

  destinations(service: ServiceAddress): Promise<KernelDestination[]> {
    const body = encodeServiceCommand(k.IPVS_CMD_GET_DEST, service);
    return this.#dump(
      `list the servers of ${serviceText(service)}`,
      body,
      (payload) => decodeDestination(payload, service.family),
      ({ settings: { family, address, port } }) => serverText(family, address, port),
    );
  }

  apply(operations: readonly Operation[]): Promise<OperationResult[]> {
    return this.#turns.change(async () => {
      const results = await this.#attempt(operations);
      if (!results.some((result) => result?.errno === ErrorNumber.ENOENT)) return results;
      // ENOENT is also what the kernel says of a family that is gone: its module was loaded anew, under another number.
      const family = this.#family;
      this.#family = undefined;
      return (await this.#resolve()) === family ? results : this.#attempt(operations);
    });
  }

  /** Sets the counters of a service and its servers to zero, or all of them. */
  zero(service?: ServiceAddress): Promise<void> {
    const what = service === undefined ? "all counters" : `the counters of ${serviceText(service)}`;
    return this.#request(`set ${what} to zero`, encodeServiceCommand(k.IPVS_CMD_ZERO, service), zeroMeanings);
  }

  /** Takes all services away, whoever made them. */
  flush(): Promise<void> {
    return this.#request("delete all services", encodeServiceCommand(k.IPVS_CMD_FLUSH));
  }

  async fingerprint(): Promise<string> {
    const shown = await this.#turns.dump(() => procFingerprint(this.#options.proc));
    if (shown !== undefined) return shown;
    const services = await this.services();
    const parts: unknown[] = [];
    for (const { address, settings } of services) {
      const destinations = await this.destinations(address);
      parts.push(address, settings, ...destinations.map((destination) => destination.settings));
    }
    return JSON.stringify(parts);
  }

  timeouts(): Promise<Required<TimeoutParameters>> {
    return this.#get("read the timeouts of IPVS", encodeServiceCommand(k.IPVS_CMD_GET_CONFIG), decodeTimeouts);
  }

  async setTimeouts(timeouts: TimeoutParameters): Promise<void> {
    const operation = "set the timeouts of IPVS";
    refuse(operation, validateTimeouts(timeouts));
    await this.#request(operation, encodeSetTimeouts(timeouts));
  }

  syncDaemons(): Promise<KernelSyncDaemon[]> {
    const body = encodeServiceCommand(k.IPVS_CMD_GET_DAEMON);
    return this.#dump("list sync daemons", body, decodeSyncDaemon, ({ role }) => role);
  }

  async startSyncDaemon(daemon: KernelSyncDaemon): Promise<void> {
    const operation = `start the ${syncDaemonText(daemon)}`;
    refuse(operation, validateSyncDaemon(daemon));
    await this.#request(operation, encodeStartSyncDaemon(daemon), startMeanings);
  }

  stopSyncDaemon(role: SyncRole): Promise<void> {
    return this.#request(`stop the sync ${role}`, encodeStopSyncDaemon(role), stopMeanings);
  }

  close(): void {
    this.#connection.close();
  }

  async #resolve(): Promise<number> {
    if (this.#family !== undefined) return this.#family;
    try {
      const { id } = await resolveFamily(this.#connection, k.IPVS_GENL_NAME);
      this.#family = id;
      return id;
    } catch (error) {
      if (!(error instanceof NetlinkError) || error.errno !== ErrorNumber.ENOENT) throw error;
      throw new NetlinkError("find the load balancer of the kernel (IPVS)", error.errno, await whyNoIpvs());
    }
  }

  /** Runs `work` with the number of the family, once more when the number turns out to be an old one. */
  async #withFamily<T>(work: (family: number) => Promise<T>): Promise<T> {
    const family = await this.#resolve();
    try {
      return await work(family);
    } catch (error) {
      if (!(error instanceof NetlinkError) || error.errno !== ErrorNumber.ENOENT) throw error;
      this.#family = undefined;
      const now = await this.#resolve();
      if (now === family) throw error;
      return work(now);
    }
  }

  async #request(operation: string, body: Uint8Array, meanings: Meanings = {}): Promise<void> {
    try {
      await this.#turns.change(() =>
        this.#withFamily((family) => this.#connection.request(operation, family, 0, body)),
      );
    } catch (error) {
      throw worded(error, meanings);
    }
  }

  #get<T>(operation: string, body: Uint8Array, decode: (payload: Uint8Array) => T | undefined): Promise<T> {
    return this.#turns.dump(() =>
      this.#withFamily(async (family) => {
        const value = decode(await this.#connection.get(operation, family, body));
        if (value === undefined) throw new Error(`${operation}: the answer of the kernel makes no sense`);
        return value;
      }).catch((error: unknown) => {
        throw worded(error);
      }),
    );
  }

  async #dump<T>(
    operation: string,
    body: Uint8Array,
    decode: (payload: Uint8Array) => T | undefined,
    key: (entry: T) => string,
  ): Promise<T[]> {
    for (let attempt = 1; ; attempt++) {
      const entries = await this.#turns.dump(() => this.#dumpOnce(operation, body, decode));
      const unique = new Map(entries.map((entry) => [key(entry), entry]));
      if (unique.size === entries.length) return entries;
      this.#options.raced?.(operation);
      if (attempt === dumpAttempts) return [...unique.values()];
    }
  }

  async #dumpOnce<T>(
    operation: string,
    body: Uint8Array,
    decode: (payload: Uint8Array) => T | undefined,
  ): Promise<T[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#withFamily((family) => this.#connection.dumpWith(operation, family, body, decode));
      } catch (error) {
        // An earlier dump that was given up is still being read out.
        const busy = error instanceof NetlinkError && error.errno === ErrorNumber.EBUSY;
        if (!busy || attempt === busyAttempts) throw worded(error);
        await pause(busyPause);
      }
    }
  }

  async #attempt(operations: readonly Operation[]): Promise<OperationResult[]> {
    const family = await this.#resolve();
    const encoder = new OperationEncoder();
    const results: OperationResult[] = new Array(operations.length);
    for (let from = 0; from < operations.length; from += perSend) {
      const requests: Request[] = [];
      encoder.reset();
      const to = Math.min(from + perSend, operations.length);
      for (let i = from; i < to; i++) {
        const operation = operations[i];
        if (operation === undefined) continue;
        const problem = validateOperation(operation);
        if (problem === undefined) requests.push(request(family, operation, encoder.encode(operation), i, results));
        else results[i] = invalid(operation, problem);
      }
      this.#connection.postMany(requests);
      if (to % inFlight === 0 || to === operations.length) await this.#connection.settle();
      else await turnOfTheLoop();
    }
    return results;
  }
}

function request(family: number, what: Operation, body: Uint8Array, i: number, results: OperationResult[]): Request {
  const refused = (error: NetlinkError): void => {
    results[i] = refusal(what, error.errno, error.text);
  };
  return { operation: () => operationText(what), type: family, flags: 0, body, refused };
}

/** Refused here: nothing is sent. */
function refuse(operation: string, problem: string | undefined): void {
  if (problem !== undefined) throw new Error(`${operation}: ${problem}`);
}

function worded(error: unknown, meanings: Meanings = {}): unknown {
  if (!(error instanceof NetlinkError)) return error;
  const meaning = error.errno === ErrorNumber.EPERM ? privilege : meanings[error.errno];
  return meaning === undefined ? error : new NetlinkError(error.operation, error.errno, meaning);
}
