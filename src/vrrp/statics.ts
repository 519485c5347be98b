/** Addresses, routes and rules that are held from the start of the daemon to its end, whatever the roles are. */
import type { AddressEntry } from "../netlink/address.ts";
import { formatAddress } from "../wire/address.ts";
import { AddressKeeper } from "./address-keeper.ts";
import type { Host } from "./host.ts";
import type { KernelObject } from "./routing.ts";
import { RoutingKeeper } from "./routing-keeper.ts";
import type { StaticParameters } from "./routing-parameters.ts";
import { routeThing, ruleThing } from "./routing-things.ts";
import type { StaticStatus } from "./status.ts";
import { Voice } from "./voice.ts";

/** No instance has a name with a space. */
export const staticHolder = "static addresses";

const none: StaticParameters = { addresses: [], routes: [], rules: [] };

export class Statics {
  readonly name = staticHolder;
  readonly excludedAddresses: StaticParameters["addresses"] = [];
  readonly #host: Host;
  readonly #addresses: AddressKeeper;
  readonly #routing: RoutingKeeper;
  #parameters = none;
  #texts = new Set<string>();

  constructor(host: Host) {
    this.#host = host;
    const voice = new Voice(host, undefined);
    this.#addresses = new AddressKeeper(host, staticHolder, voice, {
      restored: () => {},
      refused: (message) => voice.warn(message, message),
      // Everything static is put back.
      lost: () => {},
    });
    this.#routing = new RoutingKeeper(host, voice, () => {});
  }

  get virtualAddresses(): StaticParameters["addresses"] {
    return this.#parameters.addresses;
  }

  configure(parameters: StaticParameters = none): void {
    this.#parameters = parameters;
    const { addresses, routes, rules, lease } = parameters;
    this.#texts = new Set(addresses.map(({ address }) => address));
    this.#addresses.configure({ addresses, advertised: 0, lease, owner: true, onRemoval: "repair" });
    this.#routing.configure({ routes, rules, onRemoval: "repair" });
  }

  hold(): void {
    this.#addresses.hold();
    this.#routing.hold();
  }

  release(): void {
    this.#routing.release();
    this.#addresses.release();
  }

  /** Whether the address is one of these, whoever put it there. */
  includes(entry: AddressEntry): boolean {
    const text = formatAddress(entry.address);
    if (!this.#texts.has(text)) return false;
    const named = this.#parameters.addresses.filter(({ address }) => address === text);
    return named.some(({ device }) => this.#host.linkByName(device)?.index === entry.index);
  }

  /** Whether it is there because of us. */
  holds(entry: AddressEntry): boolean {
    return this.#addresses.holds(entry);
  }

  addressRemoved(entry: AddressEntry, port: number | undefined): void {
    this.#addresses.removed(entry, port);
    this.#addresses.replaceRemoved(entry);
  }

  linkChanged(isMeant: (name: string) => boolean): void {
    this.#addresses.linkChanged(isMeant);
  }

  /** What the kernel is to have, as far as the interfaces exist. */
  objects(): KernelObject[] {
    return objectsOf(this.#host, this.#parameters);
  }

  status(): StaticStatus {
    return {
      addresses: this.#addresses.status().map(({ advertised: _, ...rest }) => rest),
      routes: this.#routing.status("route"),
      rules: this.#routing.status("rule"),
    };
  }
}

export function objectsOf(
  host: Pick<Host, "linkByName">,
  { routes = [], rules = [] }: Partial<Pick<StaticParameters, "routes" | "rules">>,
): KernelObject[] {
  const things = [...routes.map(routeThing), ...rules.map(ruleThing)];
  return things.map((thing) => thing.object(host)).filter((object) => typeof object !== "string");
}
