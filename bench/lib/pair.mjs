// Two routers of one product on a LAN: r1 with priority 200, r2 with 100.
import { now, sleep, until } from "./clock.mjs";
import { Lan } from "./lan.mjs";

export const better = 200;
export const lesser = 100;

export class Pair {
  constructor(product, { links = 1, ...plan }) {
    this.product = product;
    this.plan = plan;
    this.interval = plan.interval;
    this.lan = new Lan({ links });
    this.capture = this.lan.capture;
  }

  start(router) {
    this[router] = this.product.start(this.lan, router, { ...this.plan, priority: router === "r1" ? better : lesser });
    return this[router];
  }

  /** Both run, all of r1 is active and r2 has nothing to say. */
  async settle(timeout = 20_000) {
    this.start("r1");
    this.start("r2");
    await this.calm(timeout);
    return this;
  }

  /** r1 holds every role, for two intervals now. */
  async calm(timeout = 20_000) {
    const count = this.plan.count ?? 1;
    await until(
      () => `${this.product.name}: r1 active, r2 backup\n${this.r1.log.join("")}${this.r2.log.join("")}`,
      () => {
        const from = now() - 2 * this.interval - 60;
        const active = new Set(this.capture.adverts("r1", { from }).map(({ link, vrid }) => link * 256 + vrid));
        const last2 = this.capture.last("r2", { from });
        return active.size === count && last2 === undefined;
      },
      timeout,
      20,
    );
  }

  close() {
    this.r1?.kill();
    this.r2?.kill();
    this.lan.remove();
  }
}

/** Runs `action` with a fresh pair of each product in turn, and removes it. */
export async function withPair(product, plan, action) {
  const pair = new Pair(product, plan);
  try {
    await pair.settle(30_000);
    return await action(pair);
  } finally {
    pair.close();
    await sleep(50);
  }
}
