// A backup that becomes active although the active router lives: 10 ms advertisements under load.
import { now, sleep } from "../lib/clock.mjs";
import { busyLoops } from "../lib/load.mjs";
import { withPair } from "../lib/pair.mjs";
import { products } from "../lib/products.mjs";
import { largest } from "../lib/statistics.mjs";

export const name = "false";
export const title = "False takeovers: 10 ms advertisements, both routers alive; busy loops for each core";

const interval = 10;

export async function measure(report, { extent, seconds = extent === "full" ? 60 : 10 }) {
  let turn = 0;
  for (const load of [0, 2, 8]) {
    for (const realtime of [undefined, 50]) {
      for (const product of turn++ % 2 === 0 ? products : [...products].reverse()) {
        await withPair(product, { interval, realtime }, (pair) => watch(report, pair, load, realtime, seconds * 1000));
      }
    }
  }
}

async function watch(report, pair, load, realtime, duration) {
  const end = load === 0 ? () => {} : busyLoops(load, duration + 10_000);
  try {
    const from = now();
    await sleep(duration);
    const to = now();
    const what = `${load === 0 ? "idle" : `${load} loops`}, ${realtime === undefined ? "normal" : "real-time"} class`;
    const claims = pair.capture.adverts("r2", { from, to }).filter(({ priority }) => priority > 0);
    report.sample(`${what}: takeovers`, pair.product.name, episodes(claims));
    report.sample(`${what}: largest gap`, pair.product.name, largest(pair.capture.gaps("r1", { from, to })), "ms");
  } finally {
    end();
  }
}

/** Advertisements of the backup that belong together are one takeover. */
function episodes(claims) {
  return claims.filter(({ at }, i) => i === 0 || at - claims[i - 1].at > 3 * interval).length;
}
