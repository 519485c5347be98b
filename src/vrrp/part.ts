/** One address family of an instance: its router, the addresses the router holds, and how they are announced. */
import type { Link } from "../netlink/link.ts";
import type { Family, IpAddress } from "../wire/address.ts";
import { AddressKeeper } from "./address-keeper.ts";
import { Announcer } from "./announcer.ts";
import { addressesOfFamily, type RunningParameters, routingOfFamily } from "./derive.ts";
import { DuplicateGuard } from "./duplicates.ts";
import type { Host, Preparation } from "./host.ts";
import { MacKeeper } from "./mac-keeper.ts";
import { Member } from "./member.ts";
import type { MemberPorts } from "./member-ports.ts";
import type { InstanceParameters, Milliseconds } from "./parameters.ts";
import type { Peer } from "./router.ts";
import { RoutingKeeper } from "./routing-keeper.ts";
import { SplitBrain } from "./split-brain.ts";
import type { ActiveView, MacStatus } from "./status.ts";
import { macDevice } from "./virtual-mac.ts";
import { Voice } from "./voice.ts";

/** From the question for the addresses to the takeover and its settling; then the active router was heard again. */
const askingIntervals = 3;

/** What a part asks of its instance. */
export interface PartPorts extends Pick<MemberPorts, "changed" | "willing" | "warn"> {
  /** The kernel will not have an address: a router without it must not be active. */
  refused(message: string): void;
  /** The device with the virtual MAC address appeared, or is not to be had. */
  deviceChanged(): void;
  /** Somebody took something of ours away, and the role is to be given up for it. */
  lost(message: string): void;
}

export class Part {
  readonly member: Member;
  readonly keeper: AddressKeeper;
  readonly splitBrain: SplitBrain;
  readonly duplicates: DuplicateGuard;
  readonly #mac: MacKeeper | undefined;
  readonly routing: RoutingKeeper;
  readonly #announcer: Announcer;
  readonly #host: Host;
  #parameters: InstanceParameters;

  constructor(family: Family, parameters: RunningParameters, host: Host, ports: PartPorts) {
    this.#host = host;
    this.#parameters = parameters;
    this.#announcer = new Announcer(host);
    this.splitBrain = new SplitBrain(host, parameters.name);
    this.duplicates = new DuplicateGuard(host, parameters.name);
    const voice = new Voice(host, parameters.name);
    const device = macDevice(parameters, family);
    this.#mac = device && new MacKeeper(device, parameters.name, host, { changed: () => ports.deviceChanged() });
    this.keeper = new AddressKeeper(host, parameters.name, voice, {
      restored: () => this.#announcer.again(this.#parameters.announce, 1),
      refused: (message) => ports.refused(message),
      lost: (message) => ports.lost(message),
    });
    this.routing = new RoutingKeeper(host, voice, (message) => ports.lost(message));
    this.member = new Member(family, parameters, host, {
      // The advertisement is on the wire; other routers' advertisements that are due come before our addresses.
      holdAddresses: () =>
        this.#soon(() => {
          this.#mac?.raise();
          this.keeper.hold();
          this.routing.hold();
        }),
      announce: () =>
        this.#soon(() => {
          this.#announcer.begin(this.#parameters.announce);
          this.duplicates.begin();
        }),
      releaseAddresses: () => {
        this.#announcer.stop();
        this.duplicates.end();
        this.#mac?.quieten();
        // The kernel drops routes with the address they use; in this order we know what became of them.
        this.routing.release();
        this.keeper.release();
        this.#mac?.lower();
      },
      lesserActive: (peer, interval) => {
        this.#announcer.again(this.#parameters.announce, 0);
        this.splitBrain.heard(peer, interval, this.#view());
      },
      changed: (member, from, cause) => {
        if (from === "active") this.splitBrain.left(cause);
        // While it was active, others may have put the address there in their own way; now another router has it.
        if (from === "active" && member.state.name === "backup") this.keeper.appeared();
        if (member.state.name === "active") this.splitBrain.taken(cause, this.#view());
        ports.changed(member, from, cause);
      },
      overdue: (peer, interval) => this.#ask(peer, interval),
      willing: ports.willing,
      warn: ports.warn,
    });
    this.configureAddresses(parameters);
  }

  configureAddresses(parameters: InstanceParameters): void {
    this.#parameters = parameters;
    const { lease, priority, announce, onRemoval = "repair" } = parameters;
    const { addresses, advertised } = addressesOfFamily(parameters, this.member.family);
    const device = this.#mac?.device;
    // The link is asked and listened to from the interface below: the device is down while this router is backup.
    const asked = addresses.map((address) =>
      address.device === device?.name ? { ...address, device: parameters.interface } : address,
    );
    this.duplicates.configure(asked);
    this.#announcer.configure(
      addresses,
      device && { device: device.name, base: parameters.interface, mac: device.mac },
    );
    const added = this.keeper.configure({
      addresses,
      advertised,
      lease,
      ownDevice: device?.name,
      owner: priority === 255,
      onRemoval,
    });
    this.routing.configure({ ...routingOfFamily(parameters, this.member.family), onRemoval });
    if (added && this.member.state.name === "active") this.#announcer.begin(announce);
  }

  /** Has the device with the virtual MAC address made on this interface, if there is to be one. */
  prepare(link: Link | undefined): Preparation {
    return (link && this.#mac?.prepare(link)) ?? {};
  }

  /** Throws when the kernel refuses the sockets. */
  start(link: Link, source: IpAddress): void {
    const first = this.member.state.name === "initialize";
    this.member.start(link, source);
    // A unicast peer that has a stale neighbour entry for us would not get our first advertisements.
    if (first && this.#parameters.unicastPeers.length > 0) this.#announcer.introduce(link, source);
  }

  /** Gives the role up for good; priority 0 leaves before the socket is closed. */
  stop(why: string): void {
    this.member.stop(why, true);
    this.member.closeChannel();
    this.#announcer.stop();
    this.duplicates.end();
    this.routing.configure({ routes: [], rules: [], onRemoval: "repair" });
  }

  /** After stop(): nothing of ours stays on the host. */
  discard(): void {
    this.#mac?.discard();
  }

  macStatus(): readonly MacStatus[] {
    return this.#mac === undefined ? [] : [this.#mac.status()];
  }

  linkChanged(isMeant: (name: string) => boolean): void {
    this.keeper.linkChanged(isMeant);
    this.#announcer.linkChanged(isMeant);
    this.duplicates.linkChanged();
  }

  /** A routed peer is not asked for on this link. */
  #ask(peer: Peer | undefined, interval: Milliseconds): void {
    const routed = this.#parameters.unicastPeers.length > 0;
    this.#host.soon(() => {
      if (this.member.state.name !== "backup") return;
      this.duplicates.ask(routed ? undefined : peer?.source, askingIntervals * interval);
    });
  }

  /** What our advertisements say while active. */
  #view(): ActiveView {
    const { address = "", priority = 0 } = this.member.activeRouter(this.#host.now()) ?? {};
    return { address, priority };
  }

  #soon(work: () => void): void {
    this.#host.soon(() => {
      if (this.member.state.name === "active") work();
    });
  }
}
