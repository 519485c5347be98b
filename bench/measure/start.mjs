// From exec to listening as a backup, while another router is active, and the time to the first advertisement alone.
import { readFileSync } from "node:fs";
import { downInterval, now, sleep, until } from "../lib/clock.mjs";
import { better, Pair } from "../lib/pair.mjs";
import { products } from "../lib/products.mjs";

export const name = "start";
export const title = "Start: from exec to being a member of 224.0.0.18, and to the first advertisement less its timer";

const interval = 100;
/** 224.0.0.18 as /proc/net/igmp shows it. */
const group = "120000E0";

export async function measure(report, { extent }) {
  const rounds = extent === "full" ? 20 : 7;
  const pairs = products.map((product) => new Pair(product, { interval }));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const pair of round % 2 === 0 ? pairs : [...pairs].reverse()) await once(report, pair);
    }
  } finally {
    for (const pair of pairs) pair.close();
  }
}

async function once(report, pair) {
  const before = now();
  const daemon = pair.start("r1");
  await until(
    () => `${pair.product.name} listens\n${daemon.log.join("")}`,
    () => isMember(daemon.pid),
    10_000,
    2,
  );
  report.sample("exec to listening", pair.product.name, now() - before, "ms");
  const first = await pair.capture.wait("r1", { from: before, timeout: 10_000 });
  const timer = downInterval(better, interval);
  report.sample("exec to first advertisement, less its timer", pair.product.name, first.at - before - timer, "ms");
  await daemon.stop();
  await sleep(100);
}

function isMember(pid) {
  try {
    return readFileSync(`/proc/${pid}/net/igmp`, "utf8").includes(group);
  } catch {
    return false;
  }
}
