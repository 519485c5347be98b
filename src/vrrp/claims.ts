/** Who wants to hear of which place, and which parts of the kernel's tables that concerns. */
import type { RouteFilter, RouteShape } from "../netlink/route-requests.ts";
import type { Claimant, RoutePart } from "./routing.ts";

interface Claim {
  readonly claimants: Set<Claimant>;
  readonly part: RoutePart | undefined;
}

export class Claims {
  readonly #claims = new Map<string, Claim>();
  readonly #waiting = new Set<Claimant>();
  /** Made when it is needed, after each change. */
  #shapes: Set<number> | undefined;

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
  add(place: string, claimant: Claimant, part: RoutePart | undefined): boolean {
    const known = this.#claims.get(place);
    if (known !== undefined) {
      known.claimants.add(claimant);
      return false;
    }
    this.#claims.set(place, { claimants: new Set([claimant]), part });
    this.#shapes = undefined;
    return true;
  }

  remove(place: string, claimant: Claimant): void {
    const claim = this.#claims.get(place);
    claim?.claimants.delete(claimant);
    if (claim?.claimants.size !== 0) return;
    this.#claims.delete(place);
    this.#shapes = undefined;
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

  isHeldElsewhere(place: string, claimant: Claimant | undefined): boolean {
    return [...(this.#claims.get(place)?.claimants ?? [])].some((other) => other !== claimant && other.holds(place));
  }

  /** The tables that hold claimed routes, each once. */
  filters(): RouteFilter[] {
    const filters = new Map<string, RouteFilter>();
    for (const { family, table } of this.#parts()) filters.set(`${family} ${table}`, { family, table });
    return [...filters.values()];
  }

  /** Whether any claimed route has this shape. */
  concerns({ family = 4, prefixLength, tos }: RouteShape): boolean {
    this.#shapes ??= new Set(this.#parts().map(shapeOf));
    return this.#shapes.has(shapeOf({ family, prefixLength, tos }));
  }

  #parts(): RoutePart[] {
    return [...this.#claims.values()].flatMap(({ part }) => (part === undefined ? [] : [part]));
  }
}

function shapeOf({ family, prefixLength, tos }: Pick<RoutePart, "family" | "prefixLength" | "tos">): number {
  return (family << 16) | (prefixLength << 8) | tos;
}
