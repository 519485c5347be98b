/**
 * Which services and destinations are this program's: what was declared since it was first started, as long as it is in
 * the table. The kernel does not know who made an entry. Holds state, touches nothing.
 */
import { destinationText, type Mirror, portIn } from "./mirror.ts";
import type { ServiceAddress, VirtualServerParameters } from "./parameters.ts";
import { serviceText } from "./text.ts";

export class Owned {
  readonly #services = new Map<string, { readonly address: ServiceAddress; destinations: Set<string> }>();

  /** What is declared belongs to it from before it is in the table. */
  claim({ services, servers, sorryServer }: VirtualServerParameters): void {
    const all = sorryServer === undefined ? servers : [...servers, sorryServer];
    for (const service of services) {
      const destinations = all.map(({ family, address, port }) =>
        destinationText({ family, address, port: portIn(service, port) }),
      );
      this.add(service, destinations);
    }
  }

  add(address: ServiceAddress, destinations: readonly string[]): void {
    const name = serviceText(address);
    const known = this.#services.get(name)?.destinations ?? [];
    this.#services.set(name, { address, destinations: new Set([...known, ...destinations]) });
  }

  has(service: string, destination: string): boolean {
    return this.#services.get(service)?.destinations.has(destination) === true;
  }

  services(): ServiceAddress[] {
    return [...this.#services.values()].map(({ address }) => address);
  }

  destinations(service: ServiceAddress): readonly string[] {
    return [...(this.#services.get(serviceText(service))?.destinations ?? [])];
  }

  forget(service: ServiceAddress): void {
    this.#services.delete(serviceText(service));
  }

  /** What is neither declared by one of `declared` nor in the table any more. */
  prune(declared: Iterable<VirtualServerParameters>, mirror: Mirror): void {
    const before = [...this.#services.values()];
    this.#services.clear();
    for (const parameters of declared) this.claim(parameters);
    for (const { address, destinations } of before) {
      const present = mirror.get(address);
      // Not read yet: nothing is known.
      const kept = [...destinations].filter((key) => present === undefined || present.destinations.has(key));
      if (present === undefined || present.settings !== undefined) this.add(address, kept);
    }
  }
}
