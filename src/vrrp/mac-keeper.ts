/**
 * Keeps the macvlan device of one router: made when its interface is there, up only while the router is active, made
 * again when somebody deletes it, removed in the end. While it is down nothing leaves it and nothing is received by it:
 * a backup is silent and deaf under the virtual MAC address.
 */
import type { Link } from "../netlink/link.ts";
import { equalBytes } from "../wire/bytes.ts";
import { newEntry } from "./deadlines.ts";
import type { Host, Preparation, Refusal } from "./host.ts";
import { Limiter } from "./limiter.ts";
import { baseSettings, deviceSettings, obstacles, quietSetting, remarks, type Setting } from "./mac-settings.ts";
import type { Instant, Milliseconds } from "./parameters.ts";
import type { MacStatus } from "./status.ts";
import { type Finding, inTheWay, isOurs, judge, type MacDevice, unfit } from "./virtual-mac.ts";

export interface MacPorts {
  /** What prepare() answers has changed. */
  changed(): void;
}

/** Long enough for the events of one change to have been read together, short for whoever uses the address. */
const firstDelay: Milliseconds = 5;
const longestDelay: Milliseconds = 5000;
const memory: Milliseconds = 60_000;
/** Events of our own changes have been read by then. */
const settling: Milliseconds = 200;

export class MacKeeper {
  readonly #device: MacDevice;
  readonly #host: Host;
  readonly #instance: string;
  readonly #holder: string;
  readonly #ports: MacPorts;
  readonly #limiter = new Limiter(1000);
  readonly #work = newEntry((now) => this.#reconcile(now));
  #parent: string | undefined;
  #up = false;
  #busy = false;
  #discarded = false;
  #failure: string | undefined;
  /** The device as it was when all was well: index of the one below it. */
  #established: number | undefined;
  /** What is wrong before that an earlier run left. */
  #wasReady = false;
  /** What happened to it, to be told when it is there again. */
  #lost: string | undefined;
  /** Index of the device whose settings have been made. */
  #settled: number | undefined;
  #problems: readonly string[] = [];
  #remarked: string | undefined;
  #ownChange: Instant = Number.NEGATIVE_INFINITY;
  #delay: Milliseconds = 0;
  #lastRepair: Instant = Number.NEGATIVE_INFINITY;

  constructor(device: MacDevice, instance: string, host: Host, ports: MacPorts) {
    this.#device = device;
    this.#instance = instance;
    this.#holder = `${instance}/${device.family}`;
    this.#host = host;
    this.#ports = ports;
  }

  get device(): MacDevice {
    return this.#device;
  }

  /** Looks whether the device on this interface is as it must be, and has it put right otherwise. */
  prepare(parent: Link): Preparation {
    this.#parent = parent.name;
    const problem = unfit(parent);
    if (problem !== undefined) return { problem };
    const link = this.#find();
    switch (this.#judge(link, parent)) {
      case "foreign":
        return { problem: inTheWay(this.#device) };
      case "leaving":
        this.#later(settling);
        return this.#waiting();
      case "missing":
      case "other":
      case "altered":
        this.#later(this.#delay);
        return this.#failure === undefined ? this.#waiting() : { problem: this.#failure };
      case "right":
        return link === undefined ? {} : this.#accept(link, parent);
    }
  }

  /** The router is active: the device is up when this returns. */
  raise(): void {
    this.#up = true;
    this.#settled = undefined;
    const link = this.#find();
    if (link !== undefined && isOurs(link)) this.#raise(link);
  }

  /** The router gives up: no address is left on the device, and no group is left with a message. */
  quieten(): void {
    this.#up = false;
    const link = this.#find();
    if (link !== undefined && isOurs(link)) this.#hush(link);
  }

  /** Takes the device down, when there is nothing more urgent to do. */
  lower(): void {
    this.#ownChange = this.#host.now();
    this.#host.soon(() => {
      const link = this.#find();
      if (!this.#up && !this.#discarded && link !== undefined && isOurs(link)) this.#lower(link);
    });
  }

  /** Removes the device and puts the settings of the interface back. */
  discard(): void {
    this.#discarded = true;
    this.#host.scheduleBackground(this.#work, undefined);
    this.#host.settings.release(this.#holder);
    this.#remove();
  }

  status(): MacStatus {
    const link = this.#find();
    return {
      family: this.#device.family === 4 ? "ipv4" : "ipv6",
      address: [...this.#device.mac].map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
      device: this.#device.name,
      present: link !== undefined && isOurs(link),
      up: link?.up === true,
    };
  }

  #accept(link: Link, parent: Link): Preparation {
    this.#failure = undefined;
    if (this.#lost !== undefined) this.#tell(this.#lost);
    this.#lost = undefined;
    this.#established = parent.index;
    if (this.#settled !== link.index) this.#settle(link, parent);
    if (this.#problems.length > 0) return { problem: this.#problems.join("; ") };
    if (this.#up && !link.up) {
      this.#tellUnlessOurs(`${link.name} was set down by somebody else: set up again`);
      this.#raise(link);
    }
    if (this.#up || !link.up) {
      this.#wasReady = true;
      return {};
    }
    this.#later(firstDelay);
    return this.#waiting();
  }

  #reconcile(now: Instant): void {
    const parent = this.#parent === undefined ? undefined : this.#host.linkByName(this.#parent);
    // Its request under way ends with another look; without the interface below there is nothing to make.
    if (this.#busy) return;
    if (this.#discarded) this.#remove();
    if (parent === undefined || this.#discarded) return;
    const link = this.#find();
    const finding = this.#judge(link, parent);
    const waits = finding === "foreign" || finding === "leaving";
    if (waits) this.#ports.changed();
    if (waits || unfit(parent) !== undefined) return;
    if (finding === "right" && link !== undefined) {
      if (this.#up || !link.up) return;
      if (this.#wasReady)
        this.#tellUnlessOurs(`${link.name} was set up by somebody else although this node is not active: set down`);
      this.#lower(link);
      return;
    }
    this.#backOff(now);
    const { name } = this.#device;
    const known = this.#established === parent.index;
    if (link === undefined) {
      if (known) this.#lost ??= `${name} was deleted by somebody else: made again`;
      this.#request((done) => this.#host.links.create(this.#device, parent, done));
    } else if (finding === "other") {
      if (known) this.#lost ??= `${name} was changed by somebody else: made again`;
      this.#request((done) => this.#host.links.delete(link, done));
    } else {
      const mac = equalBytes(link.mac, this.#device.mac) ? undefined : this.#device.mac;
      if (known && mac !== undefined) this.#tell(`${name} was given another MAC address by somebody else: put back`);
      const changes = { mtu: parent.mtu, ...(mac === undefined ? {} : { mac }) };
      this.#request((done) => this.#host.links.correct(link, changes, done));
    }
  }

  #request(send: (done: (error?: Refusal) => void) => void): void {
    this.#busy = true;
    this.#ownChange = this.#host.now();
    send((error) => {
      this.#busy = false;
      this.#ownChange = this.#host.now();
      // Gone with the interface below it, or seen by both: the events that follow tell.
      if (error !== undefined && error.code !== "ENODEV" && error.code !== "EEXIST") this.#failure = error.message;
      // What was just made is in our table only when its event has been read.
      if (this.#discarded) this.#later(settling);
      else this.#ports.changed();
    });
  }

  #remove(): void {
    const link = this.#find();
    if (link === undefined || !isOurs(link)) return;
    this.#host.links.delete(link, (error) => error?.code !== "ENODEV" && this.#complain(error));
  }

  #raise(link: Link): void {
    this.#ownChange = this.#host.now();
    this.#write(quietSetting(link.name), this.#device.family === 6 ? "0" : "1");
    // If it is gone, the event comes.
    this.#host.links.raise(link, (error) => error?.code !== "ENODEV" && this.#complain(error));
  }

  #lower(link: Link): void {
    this.#ownChange = this.#host.now();
    this.#hush(link);
    this.#request((done) => this.#host.links.lower(link, done));
  }

  #hush(link: Link): void {
    if (this.#device.family === 6) this.#write(quietSetting(link.name), "1");
  }

  #write(path: string, value: string): void {
    for (const problem of this.#host.settings.set([
      { path, value, otherwise: "neighbours may hear of it", needed: true },
    ])) {
      this.#complain({ code: "", message: problem });
    }
  }

  #settle(link: Link, parent: Link): void {
    const { family } = this.#device;
    const read = (path: string) => this.#host.settings.read(path);
    const quiet: readonly Setting[] =
      family === 4
        ? []
        : [
            {
              path: quietSetting(link.name),
              value: this.#up ? "0" : "1",
              otherwise: `${link.name} would be heard while this node is a backup`,
              needed: true,
            },
          ];
    this.#problems = [
      ...obstacles(family, link.name, read),
      ...this.#host.settings.hold(this.#holder, baseSettings(family, parent.name)),
      ...this.#host.settings.set([...deviceSettings(family, link.name, parent.name, read), ...quiet]),
    ];
    this.#settled = link.index;
    for (const remark of remarks(family, link.name, read)) {
      if (this.#remarked !== remark) this.#host.log("info", this.#instance, remark);
      this.#remarked = remark;
    }
  }

  #find(): Link | undefined {
    return this.#host.linkByName(this.#device.name);
  }

  #judge(link: Link | undefined, parent: Link): Finding {
    return judge(this.#device, link, parent, link !== undefined && this.#host.links.isLeaving(link));
  }

  /** The events of our own last change may not have been read yet. */
  #isFresh(): boolean {
    return this.#host.now() - this.#ownChange < settling;
  }

  #waiting(): Preparation {
    return { pending: `the device ${this.#device.name} is being made ready` };
  }

  #later(delay: Milliseconds): void {
    this.#host.scheduleBackground(this.#work, this.#host.now() + delay);
  }

  #backOff(now: Instant): void {
    if (now - this.#lastRepair > memory) this.#delay = 0;
    this.#lastRepair = now;
    this.#delay = Math.min(Math.max(this.#delay * 2, firstDelay), longestDelay);
  }

  #tellUnlessOurs(message: string): void {
    if (!this.#isFresh()) this.#tell(message);
  }

  #tell(message: string): void {
    const suppressed = this.#limiter.allow(message, this.#host.now());
    if (suppressed === undefined) return;
    const more = suppressed > 0 ? ` (and ${suppressed} times more)` : "";
    this.#host.event({ type: "repair", at: this.#host.wallClock(), instance: this.#instance, message: message + more });
  }

  #complain(error: Refusal | undefined): void {
    if (error === undefined || this.#limiter.allow(error.message, this.#host.now()) === undefined) return;
    this.#host.log("error", this.#instance, error.message);
  }
}
