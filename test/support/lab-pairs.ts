/** Scenarios run over pairs of implementations, protocol versions and address families. */
import type { Lab, Router } from "./lab.ts";
import type { Advert } from "./lab-frames.ts";
import {
  chosenPairs,
  defaultAddresses,
  type Implementation,
  linkLocalVip6,
  type RouterSpec,
  vip4,
} from "./lab-routers.ts";

export class Pair {
  readonly r1: Implementation;
  readonly r2: Implementation;
  readonly version: 2 | 3;
  readonly family: 4 | 6;

  constructor(r1: Implementation, r2: Implementation, version: 2 | 3, family: 4 | 6) {
    this.r1 = r1;
    this.r2 = r2;
    this.version = version;
    this.family = family;
  }

  get name(): string {
    return `${this.r1}/${this.r2} v${this.version} IPv${this.family}`;
  }

  /** The virtual address that hosts use. */
  get vip(): string {
    return this.family === 4 ? vip4 : linkLocalVip6;
  }

  of(node: string): Implementation {
    return node === "r2" ? this.r2 : this.r1;
  }

  spec(spec: RouterSpec): RouterSpec {
    const mixed = this.r1 === "keepalived" || this.r2 === "keepalived";
    return {
      version: this.version,
      addresses: defaultAddresses(this.family),
      realtime: (spec.interval ?? 1000) < 1000,
      // keepalived requires the pseudo-header over IPv4 and cannot be told otherwise in 2.2.
      ...(mixed && this.version === 3 && this.family === 4 ? { checksum: "pseudo_header" as const } : {}),
      ...spec,
    };
  }

  start(lab: Lab, node: string, spec: RouterSpec): Promise<Router> {
    return lab.router(node, this.of(node), this.spec(spec));
  }

  /** Starts r1, then r2, and waits until r1 is active. r2 never was: its time ends after that of r1, however slow a start is. */
  async settled(lab: Lab, one: RouterSpec, two: RouterSpec): Promise<{ r1: Router; r2: Router; first: Advert }> {
    const r1 = await this.start(lab, "r1", one);
    await r1.entered("web", "backup", 15_000);
    const r2 = await this.start(lab, "r2", two);
    await r2.entered("web", "backup", 15_000);
    const wait = 4 * (one.interval ?? 1000) + 15_000;
    const first = await lab.capture.waitForAdvert({ node: "r1", holding: true }, wait);
    await r1.waitState("web", "active", 5_000);
    return { r1, r2, first };
  }
}

export interface PairChoice {
  readonly versions?: readonly (2 | 3)[];
  /** Families of version 3; version 2 has IPv4 only. */
  readonly families?: readonly (4 | 6)[];
  /** Also IPv6 between viprd and keepalived; otherwise with LAB_LONG=1 only, to keep the suite short. */
  readonly mixedIpv6?: boolean;
  /** Only pairs that have viprd in this place. */
  readonly viprd?: "r1" | "r2" | "both";
}

/** All combinations that make sense; versions and families default to all. */
export function pairs(choice: PairChoice = {}): Pair[] {
  const found: Pair[] = [];
  for (const [r1, r2] of chosenPairs()) {
    if ((choice.viprd === "r1" || choice.viprd === "both") && r1 !== "viprd") continue;
    if ((choice.viprd === "r2" || choice.viprd === "both") && r2 !== "viprd") continue;
    for (const version of choice.versions ?? [3, 2]) {
      const families = choice.families ?? [4, 6];
      const short = r1 !== r2 && choice.mixedIpv6 !== true && process.env.LAB_LONG !== "1" && families.includes(4);
      for (const family of version === 2 || short ? ([4] as const) : families) {
        found.push(new Pair(r1, r2, version, family));
      }
    }
  }
  return found;
}
