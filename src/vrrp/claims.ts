/** Who wants to hear of which place, and which parts of the kernel's tables that concerns. */
import type { RouteFilter } from "../netlink/route-requests.ts";
import type { Claimant } from "./routing.ts";

interface Claim {
  readonly claimants: Set<Claimant>;
  readonly filter: RouteFilter | undefined;
}

export class Claims {
  readonly #claims = new Map<string, Claim>();
  readonly #waiting = new Set<Claimant>();

  get size(): number {
    return this.#claims.size;
  }

  has(place: string): boolean {
    return this.#claims.has(place);
  }

  places(): string[] {
    return [...this.#claims.keys()];
  }

  /** True when nobody had claimed the place. */
  add(place: string, claimant: Claimant, filter: RouteFilter | undefined): boolean {
    const known = this.#claims.get(place);
    if (known !== undefined) {
      known.claimants.add(claimant);
      return false;
    }
    this.#claims.set(place, { claimants: new Set([claimant]), filter });
    return true;
  }

  remove(place: string, claimant: Claimant): void {
    const claim = this.#claims.get(place);
    claim?.claimants.delete(claimant);
    if (claim?.claimants.size === 0) this.#claims.delete(place);
  }

  tell(place: string, port: number | undefined): void {
    for (const claimant of this.#claims.get(place)?.claimants ?? []) claimant.changed(place, port);
  }

  waits(claimant: Claimant, isWaiting: boolean): void {
    if (isWaiting) this.#waiting.add(claimant);
    else this.#waiting.delete(claimant);
  }

  tellWaiting(): void {
    for (const claimant of this.#waiting) claimant.surroundingsChanged();
  }

  isHeldElsewhere(place: string, claimant: Claimant): boolean {
    return [...(this.#claims.get(place)?.claimants ?? [])].some((other) => other !== claimant && other.holds(place));
  }

  /** Each once. */
  filters(): RouteFilter[] {
    const filters = new Map<string, RouteFilter>();
    for (const { filter } of this.#claims.values()) {
      if (filter !== undefined) filters.set(`${filter.family} ${filter.table}`, filter);
    }
    return [...filters.values()];
  }
}
