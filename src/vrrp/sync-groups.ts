/** All sync groups, and who belongs to which. */

import type { GroupStatus } from "./group-status.ts";
import type { Host } from "./host.ts";
import type { Instance } from "./instance.ts";
import type { SyncGroupParameters } from "./parameters.ts";
import { SyncGroup } from "./sync-group.ts";

export class SyncGroups {
  readonly #host: Host;
  readonly #instances: ReadonlyMap<string, Instance>;
  readonly #groups = new Map<string, SyncGroup>();
  #groupOf: ReadonlyMap<string, SyncGroup> = new Map();

  constructor(host: Host, instances: ReadonlyMap<string, Instance>) {
    this.#host = host;
    this.#instances = instances;
  }

  /** Instances that are not there yet join when they come. Members that stay keep their state. */
  configure(parameters: readonly SyncGroupParameters[]): void {
    const names = new Set(parameters.map(({ name }) => name));
    for (const [name, group] of this.#groups) {
      if (names.has(name)) continue;
      group.stop();
      this.#groups.delete(name);
    }
    for (const each of parameters) {
      const known = this.#groups.get(each.name);
      if (known === undefined) this.#groups.set(each.name, new SyncGroup(each, this.#host, this.#isRunning(each)));
      else known.configure(each);
    }
    const groups = [...this.#groups.values()];
    this.#groupOf = new Map(groups.flatMap((group) => group.parameters.members.map((member) => [member, group])));
    for (const group of groups) this.#gather(group);
    for (const [name, instance] of this.#instances) instance.join(this.#groupOf.get(name));
    for (const group of groups) group.refresh();
  }

  /** It came, or went. One that came looks for itself whether it can run. */
  instanceChanged(name: string): void {
    const group = this.#groupOf.get(name);
    if (group === undefined) return;
    this.#gather(group);
    this.#instances.get(name)?.join(group);
    group.refresh();
  }

  /** The picture of the host is complete: what groups track can be told. */
  refresh(): void {
    for (const group of this.#groups.values()) group.refresh();
  }

  linkChanged(isMeant: (name: string) => boolean): void {
    for (const group of this.#groups.values()) group.linkChanged(isMeant);
  }

  stop(): void {
    for (const group of this.#groups.values()) group.stop();
  }

  status(): GroupStatus[] {
    return [...this.#groups.values()].map((group) => group.status());
  }

  #isRunning({ members }: SyncGroupParameters): boolean {
    return members.some((member) => (this.#instances.get(member)?.state ?? "initialize") !== "initialize");
  }

  #gather(group: SyncGroup): void {
    group.members = group.parameters.members.flatMap((member) => this.#instances.get(member) ?? []);
  }
}
