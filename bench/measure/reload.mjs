// SIGHUP with 1000 virtual routers: the largest gap between two advertisements of any of them.
import { now, sleep } from "../lib/clock.mjs";
import { perLink } from "../lib/lan.mjs";
import { better, withPair } from "../lib/pair.mjs";
import { products } from "../lib/products.mjs";
import { largest } from "../lib/statistics.mjs";

export const name = "reload";
export const title = "Reload of 1000 virtual routers at 1 s: largest gap between two advertisements, less the interval";

const count = 1000;
const interval = 1000;

export async function measure(report, { extent }) {
  const rounds = extent === "full" ? 5 : 1;
  for (const product of products) {
    await withPair(product, { count, interval, links: count / perLink }, async (pair) => {
      await sleep(5000);
      for (let round = 0; round < rounds; round++) {
        for (const changed of [false, true]) await once(report, pair, changed);
      }
    });
  }
}

async function once(report, pair, changed) {
  const plan = { count, interval, priority: better };
  // Every second reload takes the change back, so that each of them changes one.
  pair.isChanged = changed ? !pair.isChanged : pair.isChanged;
  pair.r1.rewrite({ ...plan, changed: pair.isChanged === true });
  const from = now() - interval;
  pair.r1.signal("SIGHUP");
  await sleep(4 * interval);
  const what = changed ? "one changed" : "unchanged";
  report.sample(
    `${what}: gap beyond the interval`,
    pair.product.name,
    largest(pair.capture.gaps("r1", { from })) - interval,
    "ms",
  );
  const claims = pair.capture.adverts("r2", { from }).filter(({ priority }) => priority > 0);
  report.sample(
    `${what}: takeovers by the backup`,
    pair.product.name,
    new Set(claims.map(({ link, vrid }) => link * 256 + vrid)).size,
  );
  await pair.calm();
}
