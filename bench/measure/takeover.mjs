// How long after the formula's time the new active router is on the wire, fault by fault, and how the better one returns.
import { downInterval, now, skew, sleep } from "../lib/clock.mjs";
import { lesser, Pair } from "../lib/pair.mjs";
import { products } from "../lib/products.mjs";

export const name = "takeover";
export const title = "Takeover: first advertisement of the new active router, minus the time the formula gives";

const faults = {
  crash: (pair) => pair.r1.kill(),
  "crash, link cut": async (pair) => {
    pair.r1.kill();
    await pair.lan.setCable("r1", false);
  },
  stop: (pair) => pair.r1.signal("SIGTERM"),
  "link down": (pair) => pair.lan.setCable("r1", false),
};

/** Waiting for seconds is done by several pairs of both products at once; short intervals have the machine to themselves. */
const plans = {
  quick: [
    { interval: 1000, lanes: 3, rounds: 2 },
    { interval: 100, lanes: 1, rounds: 6 },
    { interval: 10, lanes: 1, rounds: 12 },
  ],
  full: [
    { interval: 1000, lanes: 3, rounds: 10 },
    { interval: 100, lanes: 1, rounds: 40 },
    { interval: 10, lanes: 1, rounds: 100 },
  ],
};

export async function measure(report, options) {
  for (const { interval, lanes, rounds } of plans[options.extent]) {
    const pairs = [];
    try {
      for (let i = 0; i < lanes; i++) for (const product of products) pairs.push(new Pair(product, { interval }));
      await Promise.all(pairs.map((pair) => pair.settle()));
      for (const fault of Object.keys(faults)) {
        for (let round = 0; round < rounds; round++) {
          // Together or in turn, and never the same product first.
          const order = round % 2 === 0 ? pairs : [...pairs].reverse();
          if (lanes > 1) await play(report, order, fault);
          else for (const pair of order) await play(report, [pair], fault);
        }
      }
    } finally {
      for (const pair of pairs) pair.close();
    }
  }
}

async function play(report, pairs, fault) {
  const faulted = [];
  for (const pair of pairs) {
    // The fault may fall anywhere between two advertisements.
    await sleep(spread(pairs));
    const at = now();
    await faults[fault](pair);
    faulted.push(takeover(report, pair, fault, at));
  }
  await Promise.all(faulted);
  for (const pair of pairs) await sleep(spread(pairs)).then(() => recover(pair, fault));
  await Promise.all(pairs.map((pair) => settled(report, pair, fault)));
}

async function takeover(report, pair, fault, at) {
  const { interval } = pair;
  const first = await pair.capture.wait("r2", { from: at, timeout: 4 * interval + 2000 });
  const last = pair.capture.last("r1", { to: first.at });
  const orderly = last.priority === 0;
  if (fault === "stop" && !orderly) report.note(`${pair.product.name}: stopped without priority 0`);
  const formula = orderly ? skew(lesser, interval) : downInterval(lesser, interval);
  report.sample(`${fault}, ${interval} ms adverts`, pair.product.name, first.at - last.at - formula, "ms");
}

async function recover(pair, fault) {
  pair.recoveredAt = now();
  if (fault === "link down") {
    await pair.lan.setCable("r1", true);
    return;
  }
  await pair.r1.exited;
  if (fault !== "stop") await clearAddresses(pair);
  if (fault === "crash, link cut") await pair.lan.setCable("r1", true);
  pair.recoveredAt = now();
  pair.start("r1");
}

/** What a crashed agent has left behind would change what the next start finds. */
function clearAddresses(pair) {
  pair.lan.ip("r1", ["addr flush dev e0", "addr add 10.50.255.11/16 dev e0"]);
}

async function settled(report, pair, fault) {
  const { interval, recoveredAt } = pair;
  const first = await pair.capture.wait("r1", { from: recoveredAt, timeout: 4 * interval + 4000 });
  await pair.calm();
  const last = pair.capture.last("r2", { to: first.at });
  if (fault === "crash" || fault === "stop") {
    report.sample(`return: gap at the handover, ${interval} ms adverts`, pair.product.name, first.at - last.at, "ms");
  }
  const both = pair.capture.adverts("r2", { from: first.at + 5 }).filter(({ priority }) => priority > 0);
  if (both.length > 0) report.note(`${pair.product.name}: r2 went on for ${both.length} adverts after ${fault}`);
  pair.capture.forget(now() - 3 * interval - 100);
}

/** A random pause that leaves several pairs together within one interval. */
function spread(pairs) {
  return (Math.random() * Math.max(pairs[0].interval, 20) * 2) / (pairs.length + 1);
}
