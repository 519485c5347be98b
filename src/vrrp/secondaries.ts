/**
 * Has the kernel keep the other addresses of a subnet when the first one is deleted (promote_secondaries), on the
 * interfaces that carry virtual addresses. Without it the end of a virtual address can take the host's own with it.
 */
import { readSetting, writeSetting } from "../socket/sysctl.ts";
import type { Host } from "./host.ts";
import type { InstanceParameters } from "./parameters.ts";

export class Secondaries {
  readonly #warn: (message: string) => void;
  /** Interfaces that are done, and whether the setting was changed by us. */
  readonly #changed = new Map<string, boolean>();

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** On every interface that is to carry an IPv4 address of these instances and exists. */
  keepFor(instances: readonly InstanceParameters[], host: Pick<Host, "linkByName">): void {
    const names = new Set<string>();
    for (const { virtualAddresses, excludedAddresses } of instances) {
      for (const { address, device } of [...virtualAddresses, ...excludedAddresses]) {
        if (!address.includes(":")) names.add(device);
      }
    }
    for (const name of names) {
      const link = host.linkByName(name);
      if (link !== undefined) this.#promoteOn(link.name);
    }
  }

  #promoteOn(name: string): void {
    const path = settingOf(name);
    const value = readSetting(path);
    if (value === undefined || value !== "0") return;
    try {
      writeSetting(path, "1");
      this.#changed.set(name, true);
    } catch (error) {
      if (this.#changed.get(name) === false) return;
      this.#changed.set(name, false);
      const why = error instanceof Error ? error.message : String(error);
      this.#warn(`${path.replaceAll("/", ".")} cannot be set (${why}): deleting an address can delete others with it`);
    }
  }

  /** Puts back what was changed and has not been changed by others since. */
  restore(): void {
    for (const [name, changed] of this.#changed) {
      if (!changed || readSetting(settingOf(name)) !== "1") continue;
      try {
        writeSetting(settingOf(name), "0");
      } catch (error) {
        this.#warn(`${settingOf(name)} cannot be put back: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    this.#changed.clear();
  }
}

function settingOf(name: string): string {
  return `net/ipv4/conf/${name}/promote_secondaries`;
}
