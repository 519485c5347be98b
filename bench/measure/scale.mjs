// Memory, processor time and lateness of advertisements with 1, 100 and 1000 virtual routers at 1 s, active and backup.
import { now, sleep } from "../lib/clock.mjs";
import { perLink } from "../lib/lan.mjs";
import { withPair } from "../lib/pair.mjs";
import { memory, processorTime } from "../lib/processes.mjs";
import { products } from "../lib/products.mjs";
import { largest, quantile } from "../lib/statistics.mjs";

export const name = "scale";
export const title = "Scale: 1 s advertisements; memory, share of one core, lateness of advertisements";

const interval = 1000;

export async function measure(report, { extent }) {
  const seconds = extent === "full" ? 60 : 15;
  for (const count of extent === "full" ? [1, 100, 1000] : [1, 1000]) {
    for (const product of products) {
      const plan = { count, interval, links: Math.ceil(count / perLink) };
      await withPair(product, plan, (pair) => watch(report, pair, count, seconds * 1000));
    }
  }
}

async function watch(report, pair, count, duration) {
  const { name: product } = pair.product;
  // What belongs to the start (compilation, announcements) is not what running costs.
  await sleep(6000);
  const trees = { active: pair.r1.tree(), backup: pair.r2.tree() };
  const from = now();
  const before = mapValues(trees, processorTime);
  await sleep(duration);
  const spent = mapValues(trees, processorTime);
  const elapsed = now() - from;
  for (const [role, pids] of Object.entries(trees)) {
    const what = `${count}, ${role}`;
    report.sample(`${what}: processor`, product, ((spent[role] - before[role]) / elapsed) * 100, "% core");
    const speaker = memory(pids[1] ?? pids[0]);
    report.sample(`${what}: VRRP process, resident`, product, speaker.rss, "MiB");
    report.sample(`${what}: VRRP process, proportional`, product, speaker.pss, "MiB");
    const all = pids.map(memory);
    report.sample(
      `${what}: all processes, proportional`,
      product,
      all.reduce((sum, { pss }) => sum + pss, 0),
      "MiB",
    );
  }
  const errors = pair.capture.gaps("r1", { from }).map((gap) => Math.abs(gap - interval));
  report.sample(`${count}: period error p99`, product, quantile(errors, 0.99), "ms");
  report.sample(`${count}: period error max`, product, largest(errors), "ms");
  const claims = pair.capture.adverts("r2", { from }).length;
  if (claims > 0) report.note(`${product}: ${claims} advertisements of the backup with ${count} virtual routers`);
}

function mapValues(object, convert) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, convert(value)]));
}
