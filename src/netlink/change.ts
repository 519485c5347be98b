/** What a watch tells: one entry of one table that came, went or is another now. */
import type { AddressEntry } from "./address.ts";
import type { Link } from "./link.ts";
import type { Neighbor } from "./neighbor.ts";
import type { Route } from "./route.ts";
import type { Rule } from "./rule.ts";
import type { Difference } from "./table.ts";

/** `before` is there when the kind is "changed". */
type Differing<T> = Omit<Difference<T>, "entry">;

export type Change =
  | ({ readonly object: "link"; readonly link: Link } & Differing<Link>)
  | ({ readonly object: "address"; readonly address: AddressEntry } & Differing<AddressEntry>)
  | ({ readonly object: "route"; readonly route: Route } & Differing<Route>)
  | ({ readonly object: "rule"; readonly rule: Rule } & Differing<Rule>)
  | ({ readonly object: "neighbor"; readonly neighbor: Neighbor } & Differing<Neighbor>);
