/** Everything VRRP, ARP and neighbour discovery that enters the switch, with kernel timestamps, as it happens. */
import { formatMac } from "../../src/wire/address.ts";
import { type Advert, type Arp, type Frame, type Neighbor, parseFrame } from "./lab-frames.ts";
import type { Namespaces } from "./lab-namespaces.ts";
import { ahead, Child, must } from "./lab-process.ts";

// One tcpdump on all ports: Linux cooked capture v2 names the ingress port, so that a frame is known by its cable and
// not by the addresses it claims. Ingress comes before bridge filters: frames of a blocked port are seen as well.
const filter =
  "(ip proto 112) or (ip6 proto 112) or arp or (icmp6 and (ip6[40] = 135 or ip6[40] = 136)) or (icmp6 and ip6[40] = 130)";
const cookedV2 = 276;

export interface AdvertFilter {
  readonly node?: string;
  readonly vrid?: number;
  readonly family?: 4 | 6;
  readonly priority?: number;
  /** Any priority but 0. */
  readonly holding?: boolean;
  readonly version?: number;
  readonly from?: number;
  readonly to?: number;
}

function matches(frame: Frame, wanted: AdvertFilter): frame is Advert {
  return (
    frame.kind === "advert" &&
    (wanted.node === undefined || frame.node === wanted.node) &&
    (wanted.vrid === undefined || frame.vrid === wanted.vrid) &&
    (wanted.family === undefined || frame.family === wanted.family) &&
    (wanted.priority === undefined || frame.priority === wanted.priority) &&
    (wanted.version === undefined || frame.version === wanted.version) &&
    (wanted.holding !== true || frame.priority !== 0) &&
    (wanted.from === undefined || frame.at >= wanted.from) &&
    (wanted.to === undefined || frame.at <= wanted.to)
  );
}

export class Capture {
  readonly frames: Frame[] = [];
  readonly #child: Child;
  readonly #ports = new Map<number, { node: string; interface: string } | undefined>();
  readonly #namespaces: Namespaces;
  readonly #listeners = new Set<() => void>();
  #rest: Buffer = Buffer.alloc(0);
  #headerSeen = false;

  private constructor(namespaces: Namespaces) {
    this.#namespaces = namespaces;
    const options = [
      "-i",
      "any",
      "-Q",
      "in",
      "-y",
      "LINUX_SLL2",
      "-s",
      "1600",
      "-n",
      "-U",
      "--immediate-mode",
      "-w",
      "-",
    ];
    const [command, args] = namespaces.enter(
      "sw",
      ...ahead,
      "tcpdump",
      "--time-stamp-precision=nano",
      ...options,
      filter,
    );
    this.#child = new Child("tcpdump", command, args, (chunk) => this.#data(chunk));
  }

  static async open(namespaces: Namespaces): Promise<Capture> {
    const capture = new Capture(namespaces);
    await capture.#child.waitLine((text) => text.includes("listening on"), 10_000);
    await capture.learnPorts();
    return capture;
  }

  /** Call again after an interface was added. */
  async learnPorts(): Promise<void> {
    const text = await must("ip", ["-n", this.#namespaces.name("sw"), "-j", "link"]);
    for (const link of JSON.parse(text) as { ifindex: number; ifname: string }[]) {
      const [node, name] = link.ifname.split(".");
      this.#ports.set(link.ifindex, node === undefined || name === undefined ? undefined : { node, interface: name });
    }
  }

  #data(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#headerSeen) {
      if (this.#rest.length < 24) return;
      if (this.#rest.readUInt32LE(0) !== 0xa1b23c4d || (this.#rest.readUInt32LE(20) & 0xffff) !== cookedV2) {
        throw new Error("tcpdump did not write a nanosecond capture of cooked frames, version 2");
      }
      this.#headerSeen = true;
      this.#rest = this.#rest.subarray(24);
    }
    const before = this.frames.length;
    while (this.#rest.length >= 16) {
      const size = this.#rest.readUInt32LE(8);
      if (this.#rest.length < 16 + size) break;
      const at = this.#rest.readUInt32LE(0) * 1000 + this.#rest.readUInt32LE(4) / 1e6;
      this.#packet(at, this.#rest.subarray(16, 16 + size));
      this.#rest = this.#rest.subarray(16 + size);
    }
    if (this.frames.length > before) for (const listener of [...this.#listeners]) listener();
  }

  #packet(at: number, bytes: Buffer): void {
    const port = this.#ports.get(bytes.readUInt32BE(4));
    // Frames a bridge passes up to its own interface are second copies.
    if (port === undefined) return;
    const mac = formatMac(bytes.subarray(12, 18));
    const frame = parseFrame(
      { at, node: port.node, interface: port.interface, mac },
      bytes.readUInt16BE(0),
      bytes.subarray(20),
    );
    if (frame !== undefined) this.frames.push(frame);
  }

  adverts(wanted: AdvertFilter = {}): Advert[] {
    return this.frames.filter((frame) => matches(frame, wanted));
  }

  /** ARP frames about an address; `operation` narrows. */
  arp(
    address: string,
    wanted: { operation?: Arp["operation"]; from?: number; to?: number; node?: string } = {},
  ): Arp[] {
    return this.frames.filter(
      (frame): frame is Arp =>
        frame.kind === "arp" &&
        frame.senderAddress === address &&
        (wanted.operation === undefined || frame.operation === wanted.operation) &&
        within(frame, wanted),
    );
  }

  /** Neighbour advertisements for an address. */
  neighborAdvertisements(target: string, wanted: { from?: number; to?: number; node?: string } = {}): Neighbor[] {
    return this.frames.filter(
      (frame): frame is Neighbor => frame.kind === "advertisement6" && frame.target === target && within(frame, wanted),
    );
  }

  /** Gratuitous ARP or unsolicited neighbour advertisements for an address. */
  announcements(address: string, wanted: { from?: number; to?: number; node?: string } = {}): (Arp | Neighbor)[] {
    return address.includes(":")
      ? this.neighborAdvertisements(address, wanted).filter((frame) => !frame.solicited)
      : this.arp(address, wanted).filter((frame) => frame.gratuitous);
  }

  /** The first announcement of an address, seen already or yet to come. */
  async waitForAnnouncement(
    address: string,
    wanted: { from?: number; node?: string },
    timeout: number,
  ): Promise<Arp | Neighbor> {
    const known = (): Arp | Neighbor | undefined => this.announcements(address, wanted)[0];
    const fits = (frame: Frame): frame is Arp | Neighbor => frame === known();
    return known() ?? this.waitFor(`announcement of ${address} ${JSON.stringify(wanted)}`, fits, timeout);
  }

  /** The first advert, seen already or yet to come, that fits. */
  waitForAdvert(wanted: AdvertFilter, timeout: number): Promise<Advert> {
    return this.waitFor(JSON.stringify(wanted), (frame): frame is Advert => matches(frame, wanted), timeout);
  }

  waitFor<F extends Frame>(what: string, predicate: (frame: Frame) => frame is F, timeout: number): Promise<F> {
    return new Promise((resolve, reject) => {
      let next = 0;
      const finish = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
      };
      const look = (): void => {
        for (; next < this.frames.length; next++) {
          const frame = this.frames[next];
          if (frame !== undefined && predicate(frame)) {
            finish();
            resolve(frame);
            return;
          }
        }
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`no frame within ${timeout} ms: ${what}`));
      }, timeout);
      this.#listeners.add(look);
      look();
    });
  }

  /** The last advert of a node before a moment. */
  lastAdvert(wanted: AdvertFilter): Advert {
    const found = this.adverts(wanted).at(-1);
    if (found === undefined) throw new Error(`no advert seen: ${JSON.stringify(wanted)}`);
    return found;
  }

  /** The adverts as a readable timeline: runs of one router are folded. */
  timeline(): string {
    const start = this.frames[0]?.at ?? 0;
    const lines: string[] = [];
    let run: { key: string; first: number; last: number; count: number } | undefined;
    const flush = (): void => {
      if (run === undefined) return;
      lines.push(
        `${((run.first - start) / 1000).toFixed(4)}..${((run.last - start) / 1000).toFixed(4)} s ${run.count}x ${run.key}`,
      );
    };
    for (const frame of this.frames) {
      const key = describe(frame);
      if (key === undefined) continue;
      if (run?.key === key) {
        run.last = frame.at;
        run.count++;
      } else {
        flush();
        run = { key, first: frame.at, last: frame.at, count: 1 };
      }
    }
    flush();
    return lines.length > 80 ? [...lines.slice(0, 40), "…", ...lines.slice(-40)].join("\n") : lines.join("\n");
  }

  async close(): Promise<void> {
    this.#child.signal("SIGKILL");
    await this.#child.exited;
  }
}

function within(frame: Frame, wanted: { from?: number; to?: number; node?: string }): boolean {
  return (
    (wanted.node === undefined || frame.node === wanted.node) &&
    (wanted.from === undefined || frame.at >= wanted.from) &&
    (wanted.to === undefined || frame.at <= wanted.to)
  );
}

function describe(frame: Frame): string | undefined {
  if (frame.kind === "advert") {
    const { node, version, family, vrid, priority, intervalMs, source, checksum } = frame;
    return `${node} advert v${version} ipv${family} vrid ${vrid} priority ${priority} interval ${intervalMs} from ${source} checksum ${checksum}`;
  }
  if (frame.kind === "malformed") return `${frame.node} malformed from ${frame.source} ttl ${frame.ttl}`;
  if (frame.kind === "arp") {
    return `${frame.node} arp ${frame.gratuitous ? "gratuitous" : frame.operation} ${frame.senderAddress}`;
  }
  return frame.kind === "advertisement6" ? `${frame.node} neighbour advertisement ${frame.target}` : undefined;
}
