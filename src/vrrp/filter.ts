/**
 * Keeps the packet filter behind `accept: false` in the kernel: in force before a router that needs it runs, made again
 * when somebody else changes it, and gone when nobody needs it any more.
 */
import { NftablesClient } from "../netlink/nftables-client.ts";
import { newEntry } from "./deadlines.ts";
import { type FilterEntry, filterEntries, filterMessages, filterTable, isFiltered } from "./filter-plan.ts";
import type { Host, LogLevel, Preparation } from "./host.ts";
import { Limiter } from "./limiter.ts";
import type { InstanceParameters, Instant, Milliseconds } from "./parameters.ts";

type FilterHost = Pick<Host, "now" | "wallClock" | "scheduleBackground" | "event" | "linkByName"> & {
  /** What is on the host, for the next run to know. */
  readonly settings: { filterNoted: boolean };
};

/** An instance that may need the filter, and is to look again when the filter is there or is not to be had. */
interface FilteredInstance {
  readonly parameters: InstanceParameters;
  refresh(): void;
}

type Client = Pick<NftablesClient, "commit" | "close">;
/** Throws when the kernel cannot have filters. `changed` hears who changed ours. */
type OpenClient = (changed: (who: string) => void) => Client;

interface FilterReports {
  log(level: LogLevel, instance: string | undefined, message: string): void;
}

const firstDelay: Milliseconds = 5;
const longestDelay: Milliseconds = 5000;
const memory: Milliseconds = 60_000;

export class Filter {
  readonly #host: FilterHost;
  readonly #instances: () => Iterable<FilteredInstance>;
  readonly #reports: FilterReports;
  readonly #limiter = new Limiter(1000);
  readonly #work = newEntry(() => void this.#program());
  readonly #comparison = newEntry(() => this.#compare());
  readonly #open: OpenClient;
  #client: Client | undefined;
  #problem: string | undefined;
  /** What the kernel was last given, as far as it took it; undefined while that is not known. */
  #inForce: ReadonlySet<string> | undefined;
  #busy: Promise<void> | undefined;
  #again = false;
  #delay: Milliseconds = firstDelay;
  #lastRepair: Instant = Number.NEGATIVE_INFINITY;

  constructor(
    host: FilterHost,
    instances: () => Iterable<FilteredInstance>,
    reports: FilterReports,
    open: OpenClient = (changed) => new NftablesClient(filterTable, { changed }),
  ) {
    this.#open = open;
    this.#host = host;
    this.#instances = instances;
    this.#reports = reports;
  }

  /** Whether packets to the addresses of this instance are kept out, if they have to be. */
  state(parameters: InstanceParameters): Preparation {
    if (!isFiltered(parameters)) return {};
    if (this.#problem !== undefined) return { problem: this.#problem };
    const missing = filterEntries([parameters], (device) => this.#nameOf(device)).some(
      (entry) => this.#inForce?.has(keyOf(entry)) !== true,
    );
    return missing ? { pending: "the packet filter for accept: false is being made ready" } : {};
  }

  /** Instances, their addresses or the names of interfaces changed; many such changes are looked at together. */
  refresh(): void {
    this.#host.scheduleBackground(this.#comparison, this.#host.now());
  }

  #compare(): void {
    const wanted = new Set(this.#entries().map(keyOf));
    const known = this.#inForce ?? new Set();
    if (this.#inForce === undefined && wanted.size === 0 && !this.#host.settings.filterNoted) return;
    if (this.#inForce !== undefined && wanted.size === known.size && [...wanted].every((key) => known.has(key))) return;
    void this.#program();
  }

  /** Takes the filter away; resolves when it is. */
  async remove(): Promise<void> {
    for (const entry of [this.#work, this.#comparison]) this.#host.scheduleBackground(entry, undefined);
    await this.#busy;
    if (this.#client === undefined) return;
    try {
      await this.#client.commit("remove the packet filter", filterMessages([]));
      this.#host.settings.filterNoted = false;
    } catch (error) {
      this.#reports.log("error", undefined, wordsOf(error));
    }
    this.#client.close();
    this.#client = undefined;
  }

  /** Of today: it may have been renamed. */
  #nameOf(device: string): string {
    return this.#host.linkByName(device)?.name ?? device;
  }

  #entries(): readonly FilterEntry[] {
    const parameters = [...this.#instances()].map((instance) => instance.parameters);
    return filterEntries(parameters, (device) => this.#nameOf(device));
  }

  /** One batch at a time; what is wanted meanwhile comes with the next. */
  async #program(): Promise<void> {
    if (this.#busy !== undefined) {
      this.#again = true;
      return;
    }
    const entries = this.#entries();
    this.#busy = this.#commit(entries);
    await this.#busy;
    this.#busy = undefined;
    for (const instance of this.#instances()) if (isFiltered(instance.parameters)) instance.refresh();
    if (!this.#again) return;
    this.#again = false;
    await this.#program();
  }

  async #commit(entries: readonly FilterEntry[]): Promise<void> {
    try {
      this.#client ??= this.#open((who) => this.#changedByOthers(who));
      // First, so that a kill in between leaves no filter that nobody knows of.
      if (entries.length > 0) this.#host.settings.filterNoted = true;
      await this.#client.commit("make the packet filter for accept: false", filterMessages(entries));
      if (entries.length === 0) this.#host.settings.filterNoted = false;
      this.#inForce = new Set(entries.map(keyOf));
      this.#problem = undefined;
    } catch (error) {
      this.#inForce = undefined;
      this.#problem = describe(error);
      this.#host.scheduleBackground(this.#work, this.#host.now() + longestDelay);
    }
  }

  #changedByOthers(who: string): void {
    const now = this.#host.now();
    if (this.#inForce === undefined || this.#inForce.size === 0) return;
    if (now - this.#lastRepair > memory) this.#delay = firstDelay;
    this.#lastRepair = now;
    this.#host.scheduleBackground(this.#work, now + this.#delay);
    this.#delay = Math.min(this.#delay * 2, longestDelay);
    if (this.#limiter.allow("changed", now) === undefined) return;
    const message = `the packet filter for accept: false was changed by ${who}: made again`;
    for (const { parameters } of this.#instances()) {
      if (!isFiltered(parameters)) continue;
      this.#host.event({ type: "repair", at: this.#host.wallClock(), instance: parameters.name, message });
    }
  }
}

function keyOf({ address, device }: FilterEntry): string {
  return /^fe[89ab]/i.test(address) ? `${address}%${device}` : address;
}

function describe(error: unknown): string {
  const text = wordsOf(error);
  // Either netfilter or its nf_tables part is not in this kernel.
  return /EPROTONOSUPPORT|EOPNOTSUPP/.test(text)
    ? `accept: false needs a kernel with nf_tables (CONFIG_NF_TABLES_INET): ${text}`
    : text;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
