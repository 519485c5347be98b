/** Requests for addresses as netlink takes them: the simulated kernel has acted when they return, its answer comes later. */
import type { AddressEntry } from "../../src/netlink/address.ts";
import type { AddressRequests, Refusal } from "../../src/vrrp/host.ts";
import { formatAddress } from "../../src/wire/address.ts";
import type { SimulatedKernel } from "./simulated-kernel.ts";

export function addressRequests(kernel: SimulatedKernel, later: (answer: () => void) => void): AddressRequests {
  const add = (entry: AddressEntry, done: (error?: Refusal) => void) => {
    const code = kernel.addAddress(entry);
    const error =
      code === undefined ? undefined : { code, message: `add address ${formatAddress(entry.address)}: ${code}` };
    later(() => done(error));
  };
  return {
    add,
    renew: (entries, failed) => {
      for (const entry of entries) add(entry, (error) => error && failed(entry, error));
    },
    delete: (entry, done) => {
      kernel.deleteAddress(entry);
      later(() => done());
    },
  };
}
