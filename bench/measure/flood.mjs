// Malformed packets, 10 000 each second, at an active router and its backup.
import { fileURLToPath } from "node:url";
import { now } from "../lib/clock.mjs";
import { withPair } from "../lib/pair.mjs";
import { Daemon, memory, processorTime } from "../lib/processes.mjs";
import { products } from "../lib/products.mjs";
import { largest } from "../lib/statistics.mjs";

export const name = "flood";
export const title = "Malformed packets, 10 000 each second: latest advertisement, growth of the VRRP process";

const rate = 10_000;
const tool = fileURLToPath(new URL("../tools/flood.mjs", import.meta.url));

export async function measure(report, { extent }) {
  const seconds = extent === "full" ? 60 : 8;
  for (const interval of [1000, 100]) {
    for (const product of products) {
      await withPair(product, { interval }, (pair) => watch(report, pair, seconds));
    }
  }
}

async function watch(report, pair, seconds) {
  const { interval } = pair;
  const speakers = [pair.r1, pair.r2].map((daemon) => pair.product.speaker(daemon));
  // Long before counting: that the young generation of a heap fills up to its size is not growth.
  await flood(pair, 14);
  const before = speakers.map((pid) => ({ ...memory(pid), time: processorTime([pid]) }));
  const from = now();
  await flood(pair, seconds);
  const elapsed = now() - from;
  const what = `${interval} ms adverts`;
  const { name: product } = pair.product;
  // A router that says nothing at all is late by the whole time.
  const gaps = pair.capture.gaps("r1", { from });
  const late = gaps.length > 0 ? largest(gaps) - interval : elapsed - interval;
  report.sample(`${what}: latest advertisement`, product, late, "ms");
  for (const [i, role] of ["active", "backup"].entries()) {
    const pid = speakers[i];
    report.sample(`${what}: resident growth, ${role}`, product, memory(pid).rss - before[i].rss, "MiB");
    report.sample(
      `${what}: processor, ${role}`,
      product,
      ((processorTime([pid]) - before[i].time) / elapsed) * 100,
      "% core",
    );
  }
  const claims = pair.capture.adverts("r2", { from }).filter(({ priority }) => priority > 0);
  report.sample(`${what}: advertisements of the backup`, product, claims.length);
}

async function flood(pair, seconds) {
  const sender = new Daemon(pair.lan, "h1", process.execPath, [tool, String(rate), String(seconds)]);
  await sender.exited;
  if (sender.log.length > 0) throw new Error(`flood: ${sender.log.join("")}`);
}
