/** What the kernel's filters let through of the claims on a simulated LAN: watched addresses on their interfaces. */
import type { Link } from "../../src/netlink/link.ts";
import type { Claimed, ClaimRequests } from "../../src/vrrp/host.ts";
import { equalAddresses, formatAddress, type IpAddress } from "../../src/wire/address.ts";

interface Watch {
  readonly index: number;
  readonly addresses: readonly IpAddress[];
  readonly claimed: Claimed;
}

export class SimulatedClaims implements ClaimRequests {
  readonly #watches = new Set<Watch>();
  readonly #isOwnMac: (mac: Uint8Array) => boolean;

  constructor(isOwnMac: (mac: Uint8Array) => boolean) {
    this.#isOwnMac = isOwnMac;
  }

  watch({ index }: Link, addresses: readonly IpAddress[], claimed: Claimed): () => void {
    const watch = { index, addresses, claimed };
    this.#watches.add(watch);
    return () => this.#watches.delete(watch);
  }

  get watched(): string[] {
    return [...this.#watches].flatMap(({ addresses }) => addresses.map(formatAddress));
  }

  hear(index: number, address: IpAddress, mac: Uint8Array): void {
    if (this.#isOwnMac(mac)) return;
    for (const watch of [...this.#watches]) {
      if (watch.index !== index || !watch.addresses.some((wanted) => equalAddresses(wanted, address))) continue;
      watch.claimed(address, mac);
    }
  }
}
