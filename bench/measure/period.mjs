// How far the gap between two advertisements is from the interval.
import { now, sleep } from "../lib/clock.mjs";
import { busyLoops } from "../lib/load.mjs";
import { withPair } from "../lib/pair.mjs";
import { products } from "../lib/products.mjs";
import { largest, median, quantile } from "../lib/statistics.mjs";

export const name = "period";
export const title = "Period: |gap between two advertisements - interval|, quantiles of each run";

export async function measure(report, { extent }) {
  const seconds = extent === "full" ? 30 : 6;
  const turns = extent === "full" ? 4 : 1;
  for (const interval of [10, 100]) {
    for (const load of [0, 1]) {
      for (let turn = 0; turn < turns; turn++) {
        for (const product of turn % 2 === 0 ? products : [...products].reverse()) {
          await withPair(product, { interval }, (pair) => watch(report, pair, load, seconds * 1000));
        }
      }
    }
  }
}

async function watch(report, pair, load, duration) {
  const { interval } = pair;
  const end = load === 0 ? () => {} : busyLoops(load, 4 * duration);
  try {
    const from = now();
    await sleep(duration);
    const errors = pair.capture.gaps("r1", { from }).map((gap) => Math.abs(gap - interval));
    const what = `${interval} ms adverts, ${load === 0 ? "idle" : "one busy loop a core"}`;
    report.sample(`${what}: p50`, pair.product.name, median(errors), "ms");
    report.sample(`${what}: p99`, pair.product.name, quantile(errors, 0.99), "ms");
    report.sample(`${what}: max`, pair.product.name, largest(errors), "ms");
  } finally {
    end();
  }
}
