/**
 * Tables of the kernel, kept up to date: a dump at first, then what the multicast groups tell. Events come on a socket
 * of their own. When its queue overruns (ENOBUFS) what was lost is unknown, so the tables are dumped again and the
 * differences told as if they had been heard.
 */
import { NETLINK_ADD_MEMBERSHIP, NETLINK_ROUTE, SOL_NETLINK } from "../socket/constants.ts";
import { ErrorNumber, errnoName } from "../socket/errno.ts";
import type { AddressEntry } from "./address.ts";
import type { Change } from "./change.ts";
import { Connection, NetlinkError } from "./connection.ts";
import type { Link } from "./link.ts";
import { MessageReader } from "./message.ts";
import type { Neighbor } from "./neighbor.ts";
import type { Route } from "./route.ts";
import type { RouteFilter, RouteSelection } from "./route-requests.ts";
import type { Rule } from "./rule.ts";
import { addressSubject, linkSubject, neighborSubject, routeSubject, ruleSubject } from "./subjects.ts";
import type { Difference } from "./table.ts";
import { type Subject, Tracked } from "./tracked.ts";
import { isFromKernel, openTransport, type Transport } from "./transport.ts";

export type { Change } from "./change.ts";

export interface WatchOptions {
  readonly links?: boolean;
  readonly addresses?: boolean;
  readonly routes?: boolean | RouteFilter | RouteSelection;
  readonly rules?: boolean;
  readonly neighbors?: boolean;
  /** Not called for what was there at first: read the tables when `ready`. */
  readonly onChange: (change: Change) => void;
  /** The tables are read again, and why. */
  readonly onResync?: (reason: string) => void;
  /** For the dumps; without it the watch opens one and closes it. */
  readonly connection?: Connection;
  /** Bytes of events that may wait. */
  readonly receiveBuffer?: number;
}

interface Entity {
  readonly groups: readonly number[];
  readonly complete: boolean;
  event(type: number, flags: number, payload: Uint8Array, port: number): boolean;
  invalidate(): void;
  drained(): void;
  resume(): void;
}

const defaultReceiveBuffer = 4 * 1024 * 1024;
const batchSize = 16;
const batchesPerWake = 4;
const firstRetry = 100;
const longestRetry = 5000;
const maxInterrupted = 10;

export class Watch {
  /** The first dumps are done. Rejects, with the watch closed, when one fails. */
  readonly ready: Promise<void>;
  readonly #options: WatchOptions;
  readonly #transport: Transport;
  readonly #connection: Connection;
  readonly #links: Tracked<Link, number, string>;
  readonly #addresses: Tracked<AddressEntry>;
  readonly #routes: Tracked<Route, string, string>;
  readonly #rules: Tracked<Rule, string, string>;
  readonly #neighbors: Tracked<Neighbor>;
  readonly #entities: readonly Entity[];
  #resolveReady: () => void = () => {};
  #rejectReady: (error: unknown) => void = () => {};
  #isReady = false;
  #discarding = false;
  #overruns = 0;
  #interrupted = 0;
  #retry = firstRetry;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `join` makes the event socket a member of a multicast group. */
  constructor(
    transport: Transport,
    connection: Connection,
    options: WatchOptions,
    join: (group: number) => void = () => {},
  ) {
    this.#options = options;
    this.#transport = transport;
    this.#connection = connection;
    this.#links = this.#track(linkSubject((difference) => this.#linkChanged(difference)));
    this.#addresses = this.#track(addressSubject((difference) => this.#addressChanged(difference)));
    this.#routes = this.#track(
      routeSubject(typeof options.routes === "object" ? options.routes : {}, ({ entry: route, ...rest }) =>
        this.#tell({ object: "route", route, ...rest }),
      ),
    );
    this.#rules = this.#track(ruleSubject(({ entry: rule, ...rest }) => this.#tell({ object: "rule", rule, ...rest })));
    this.#neighbors = this.#track(
      neighborSubject(({ entry: neighbor, ...rest }) => this.#tell({ object: "neighbor", neighbor, ...rest })),
    );
    // The kernel flushes IPv4 routes without a word when their link or source address goes, so routes need the others.
    this.#entities = [
      ...(options.links || options.routes ? [this.#links] : []),
      ...(options.addresses || options.routes ? [this.#addresses] : []),
      ...(options.routes ? [this.#routes] : []),
      ...(options.rules ? [this.#rules] : []),
      ...(options.neighbors ? [this.#neighbors] : []),
    ];
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    // Whoever waits hears of it; that nobody waits is no reason to end the process.
    this.ready.catch(() => {});
    for (const entity of this.#entities) entity.groups.forEach(join);
    transport.watch(
      () => this.#wake(),
      (errno) => this.#failed(errno),
    );
    this.#wake();
  }

  static open(options: WatchOptions): Watch {
    const { receiveBuffer = defaultReceiveBuffer } = options;
    const socket = openTransport("netlink event socket", { protocol: NETLINK_ROUTE, receiveBuffer, batchSize });
    let connection = options.connection;
    try {
      connection ??= Connection.open();
      const join = (group: number): void => socket.setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
      return new Watch(socket, connection, options, join);
    } catch (error) {
      socket.close();
      if (connection !== options.connection) connection?.close();
      throw error;
    }
  }

  /** By index. */
  get links(): ReadonlyMap<number, Link> {
    return this.#links.table.entries;
  }

  linkByName(name: string): Link | undefined {
    return this.#links.table.inGroup(name)[0];
  }

  /** Of one link. */
  addresses(index: number): readonly AddressEntry[] {
    return this.#addresses.table.inGroup(index);
  }

  routes(): Route[] {
    return [...this.#routes.table.entries.values()];
  }

  /** Those that the kernel takes for the same route: see routePlace(). */
  routesAt(place: string): readonly Route[] {
    return this.#routes.table.inGroup(place);
  }

  /** Another selection is in force, or the table is not believed. */
  readRoutesAgain(): void {
    this.#routes.invalidate();
    this.#wake();
  }

  rules(): Rule[] {
    return [...this.#rules.table.entries.values()];
  }

  /** See rulePlace(). */
  rulesAt(place: string): readonly Rule[] {
    return this.#rules.table.inGroup(place);
  }

  /** On one link. */
  neighbors(index: number): readonly Neighbor[] {
    return this.#neighbors.table.inGroup(index);
  }

  /** How often events were lost. */
  get overruns(): number {
    return this.#overruns;
  }

  /** Idempotent. Nothing is called afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#transport.close();
    if (this.#connection !== this.#options.connection) this.#connection.close();
    this.#rejectReady(new Error("watch closed"));
  }

  #track<T, Key, Group>(subject: Subject<T, Key, Group>): Tracked<T, Key, Group> {
    return new Tracked(subject, this.#connection, (error) => this.#dumped(error));
  }

  #wake(): void {
    for (let i = 0; i < batchesPerWake && !this.#closed; i++) {
      const batch = this.#transport.receive();
      if (typeof batch === "number") {
        if (-batch === ErrorNumber.EAGAIN || -batch === ErrorNumber.EINTR) return;
        this.#lost(-batch);
      } else if (batch.count === 0) {
        this.#drained();
        return;
      } else if (!this.#discarding) {
        for (let j = 0; j < batch.count && !this.#closed; j++) {
          if (!isFromKernel(batch.source(j))) continue;
          if (batch.truncated(j)) this.#lost(ErrorNumber.EMSGSIZE);
          else this.#datagram(batch.bytes(j));
        }
      }
    }
  }

  #failed(errno: number): void {
    this.#lost(errno);
    this.#wake();
  }

  /**
   * Events are missing. Those still in the queue are older than the missing ones and must not overrule the coming
   * dump, so all are thrown away until the queue is empty; up to then a congested socket gets no new ones either.
   */
  #lost(errno: number): void {
    this.#overruns += 1;
    this.#discarding = true;
    for (const entity of this.#entities) entity.invalidate();
    const overrun = errno === ErrorNumber.ENOBUFS;
    this.#options.onResync?.(overrun ? "events were lost" : `reading events failed (${errnoName(errno)})`);
  }

  #drained(): void {
    this.#discarding = false;
    for (const entity of this.#entities) {
      if (!this.#closed) entity.drained();
    }
    if (this.#isReady || !this.#entities.every((entity) => entity.complete)) return;
    this.#isReady = true;
    this.#resolveReady();
  }

  #datagram(bytes: Uint8Array): void {
    const reader = new MessageReader(bytes);
    while (!this.#closed && reader.next()) {
      const { type, flags, port } = reader;
      for (const entity of this.#entities) {
        if (entity.event(type, flags, reader.payload(), port)) break;
      }
    }
  }

  #dumped(error: unknown): void {
    if (this.#closed) return;
    if (error !== undefined && !this.#isReady && !this.#mayTryAgain(error)) {
      this.#rejectReady(error);
      this.close();
      return;
    }
    if (error === undefined) this.#retry = firstRetry;
    else {
      this.#options.onResync?.(error instanceof Error ? error.message : String(error));
      this.#timer ??= setTimeout(() => this.#tryAgain(), this.#retry);
      this.#retry = Math.min(this.#retry * 2, longestRetry);
    }
    this.#wake();
  }

  /** A table that never stands still is no reason to give up at once; any other refusal will stay one. */
  #mayTryAgain(error: unknown): boolean {
    this.#interrupted += 1;
    return error instanceof NetlinkError && error.errno === ErrorNumber.EINTR && this.#interrupted <= maxInterrupted;
  }

  #tryAgain(): void {
    this.#timer = undefined;
    for (const entity of this.#entities) entity.resume();
    this.#wake();
  }

  #linkChanged({ entry: link, ...rest }: Difference<Link>): void {
    const { kind, before } = rest;
    if (this.#options.links) this.#tell({ object: "link", link, ...rest });
    if (kind === "removed") {
      this.#addresses.drop(this.addresses(link.index));
      this.#neighbors.drop(this.neighbors(link.index));
    }
    if (kind === "removed" || (before !== undefined && before.flags !== link.flags)) this.#routes.invalidate();
  }

  #addressChanged({ entry: address, ...rest }: Difference<AddressEntry>): void {
    if (this.#options.addresses) this.#tell({ object: "address", address, ...rest });
    if (rest.kind === "removed") this.#routes.invalidate();
  }

  #tell(change: Change): void {
    if (this.#isReady && !this.#closed) this.#options.onChange(change);
  }
}
