// The first takeover in the life of a backup, which in practice is the one that counts: it waits for years and its code
// is cold. A fresh pair each time; the second takeover of the same process beside it.
import { downInterval, now, sleep } from "../lib/clock.mjs";
import { lesser, Pair } from "../lib/pair.mjs";
import { products } from "../lib/products.mjs";

export const name = "first";
export const title = "First takeover of a backup's life, crash, 100 ms adverts: beyond the formula";

const interval = 100;

export async function measure(report, { extent }) {
  const rounds = extent === "full" ? 20 : 5;
  for (let round = 0; round < rounds; round++) {
    for (const product of round % 2 === 0 ? products : [...products].reverse()) await once(report, product);
  }
}

async function once(report, product) {
  const pair = new Pair(product, { interval });
  try {
    await pair.settle(30_000);
    // Whatever a daemon does after its start is over.
    await sleep(2500);
    await takeover(report, pair, "first takeover");
    await pair.r1.exited;
    pair.lan.ip("r1", ["addr flush dev e0", "addr add 10.50.255.11/16 dev e0"]);
    const from = now();
    pair.start("r1");
    await pair.capture.wait("r1", { from, timeout: 10_000 });
    await pair.calm();
    await takeover(report, pair, "second takeover");
  } finally {
    pair.close();
  }
}

async function takeover(report, pair, what) {
  const at = now();
  pair.r1.kill();
  const first = await pair.capture.wait("r2", { from: at, timeout: 5000 });
  const last = pair.capture.last("r1", { to: first.at });
  report.sample(what, pair.product.name, first.at - last.at - downInterval(lesser, interval), "ms");
}
