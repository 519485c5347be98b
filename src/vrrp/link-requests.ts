/**
 * Makes, changes and removes macvlan devices through netlink. The kernel waits for a grace period, some 10 ms, when a
 * macvlan goes down or away, so these requests are sent from another thread, in order; only going up is done at once.
 */
import { openAside } from "../netlink/aside.ts";
import type { Connection } from "../netlink/connection.ts";
import {
  IN6_ADDR_GEN_MODE_NONE,
  MACVLAN_MODE_BRIDGE,
  NLM_F_CREATE,
  NLM_F_EXCL,
  RTM_DELLINK,
  RTM_NEWLINK,
} from "../netlink/constants.ts";
import { encodeDeleteLink, encodeDeleteLinks, encodeNewLink, encodeSetLink, type Link } from "../netlink/link.ts";
import type { LinkRequests, Refusal } from "./host.ts";
import { deviceGroup, type MacDevice } from "./virtual-mac.ts";

type Done = (error?: Refusal) => void;

interface Deletion {
  readonly link: Link;
  readonly done: Done;
}

export class KernelLinks implements LinkRequests {
  readonly #atOnce: Connection;
  readonly #aside: Connection;
  #deletions: Deletion[] | undefined;
  /** By index, which the kernel gives to no other. The table of links may hear of it later than we do. */
  readonly #leaving = new Set<number>();

  /** Throws when the kernel refuses the socket for the other thread. */
  constructor(atOnce: Connection) {
    this.#atOnce = atOnce;
    this.#aside = openAside("netlink socket for devices");
  }

  /** Resolves when every request has been answered. */
  settle(): Promise<void> {
    return this.#aside.settle();
  }

  create(device: MacDevice, parent: Link, done: Done): void {
    const { name, mac, alias } = device;
    const link = {
      kind: "macvlan",
      name,
      mac,
      group: deviceGroup,
      mtu: parent.mtu,
      parent: parent.index,
      mode: MACVLAN_MODE_BRIDGE,
    } as const;
    let refused: Refusal | undefined;
    this.#aside.postMany([
      {
        operation: `make virtual MAC device ${name} on ${parent.name}`,
        type: RTM_NEWLINK,
        flags: NLM_F_CREATE | NLM_F_EXCL,
        body: encodeNewLink(link),
        done: (error) => {
          refused = error;
        },
      },
      {
        operation: `set up virtual MAC device ${name}`,
        type: RTM_NEWLINK,
        flags: 0,
        body: encodeSetLink(0, { name, alias, addressGeneration: IN6_ADDR_GEN_MODE_NONE }),
        done: (error) => done(refused ?? error),
      },
    ]);
  }

  delete(link: Link, done: Done): void {
    this.#leaving.add(link.index);
    const told: Done = (error) => {
      if (error !== undefined) this.#leaving.delete(link.index);
      done(error);
    };
    if (this.#deletions !== undefined) this.#deletions.push({ link, done: told });
    else this.#delete(link, told);
  }

  isLeaving(link: Link): boolean {
    return this.#leaving.has(link.index);
  }

  /**
   * Runs `work`; the devices that it removes go together when it returns: each alone takes the kernel some 20 ms, by
   * their group all of them take as long as one. `links` are all that there are: nobody else's may be in the group.
   */
  deletingTogether(work: () => void, links: Iterable<Link>): void {
    const deletions: Deletion[] = [];
    this.#deletions = deletions;
    try {
      work();
    } finally {
      this.#deletions = undefined;
      const ours = new Set(deletions.map(({ link }) => link.index));
      const group = [...links].filter((link) => link.group === deviceGroup);
      if (ours.size > 1 && group.every(({ index }) => ours.has(index))) this.#deleteGroup(deletions);
      else for (const { link, done } of deletions) this.#delete(link, done);
    }
  }

  #deleteGroup(deletions: readonly Deletion[]): void {
    const operation = `remove ${deletions.length} virtual MAC devices`;
    this.#aside.post(operation, RTM_DELLINK, 0, encodeDeleteLinks(deviceGroup), (error) => {
      for (const { done } of deletions) done(error);
    });
  }

  #delete(link: Link, done: Done): void {
    this.#aside.post(`remove virtual MAC device ${link.name}`, RTM_DELLINK, 0, encodeDeleteLink(link.index), done);
  }

  raise(link: Link, done: Done): void {
    this.#atOnce.post(`set ${link.name} up`, RTM_NEWLINK, 0, encodeSetLink(link.index, { up: true }), done);
  }

  lower(link: Link, done: Done): void {
    this.#aside.post(`set ${link.name} down`, RTM_NEWLINK, 0, encodeSetLink(link.index, { up: false }), done);
  }

  correct(link: Link, changes: { readonly mac?: Uint8Array; readonly mtu: number }, done: Done): void {
    this.#aside.post(`change ${link.name}`, RTM_NEWLINK, 0, encodeSetLink(link.index, changes), done);
  }
}
