/** Interfaces by the names they were asked for: one that was renamed is still found under its former name. */
import type { Link } from "../netlink/link.ts";
import type { Watch } from "../netlink/watch.ts";

export class KnownLinks {
  readonly #watch: Pick<Watch, "links" | "linkByName">;
  /** Indexes by the names that were asked for. */
  readonly #known = new Map<string, number>();

  constructor(watch: Pick<Watch, "links" | "linkByName">) {
    this.#watch = watch;
  }

  byName(name: string): Link | undefined {
    const link = this.#watch.linkByName(name);
    if (link !== undefined) {
      this.#known.set(name, link.index);
      return link;
    }
    const index = this.#known.get(name);
    return index === undefined ? undefined : this.#watch.links.get(index);
  }

  /** Whether a configured name stands for the interface: its own, and every one it was found by before. */
  isMeant(name: string, link: Link): boolean {
    return name === link.name || this.#known.get(name) === link.index;
  }
}
