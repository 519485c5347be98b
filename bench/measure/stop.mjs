// SIGTERM to the active router: when priority 0 is on the wire for every virtual router, and the addresses are gone.
import { Watch } from "../../dist/netlink/watch.js";
import { now, sleep, until } from "../lib/clock.mjs";
import { perLink } from "../lib/lan.mjs";
import { Pair } from "../lib/pair.mjs";
import { products } from "../lib/products.mjs";
import { largest } from "../lib/statistics.mjs";

export const name = "stop";
export const title = "Stop: from SIGTERM to priority 0 on the wire and to the last virtual address removed";

export async function measure(report, { extent }) {
  for (const [count, rounds] of [
    [1, extent === "full" ? 15 : 5],
    [1000, extent === "full" ? 5 : 1],
  ]) {
    const pairs = products.map((product) => new Pair(product, plan(count)));
    try {
      for (let round = 0; round < rounds; round++) {
        for (const pair of round % 2 === 0 ? pairs : [...pairs].reverse()) await once(report, pair, count);
      }
    } finally {
      for (const pair of pairs) pair.close();
    }
  }
}

function plan(count) {
  return { count, links: Math.ceil(count / perLink), interval: count === 1 ? 100 : 1000 };
}

async function once(report, pair, count) {
  const held = new Map();
  const watch = pair.lan.inside("r1", () =>
    Watch.open({
      addresses: true,
      onChange: ({ object, kind, address }) => {
        if (object !== "address" || address.prefixLength !== 16) return;
        if (kind === "removed") held.delete(address.address.join("."));
        else held.set(address.address.join("."), address);
        last = now();
      },
    }),
  );
  let last = 0;
  await watch.ready;
  const daemon = pair.start("r1");
  await until(
    () => `${pair.product.name} holds ${count} addresses, has ${held.size}\n${daemon.log.join("")}`,
    () => held.size >= count,
    30_000,
    20,
  );
  await sleep(Math.max(300, pair.interval) + Math.random() * 100);
  const at = daemon.signal("SIGTERM");
  const ended = await daemon.exited;
  await sleep(100);
  const what = count === 1 ? "1 instance" : `${count} instances`;
  const farewells = pair.capture.adverts("r1", { from: at }).filter(({ priority }) => priority === 0);
  const routers = new Set(farewells.map(({ link, vrid }) => link * 256 + vrid));
  if (routers.size < count) report.note(`${pair.product.name}: priority 0 for ${routers.size} of ${count}`);
  if (held.size > 0) report.note(`${pair.product.name}: ${held.size} addresses left`);
  report.sample(`${what}: first priority 0`, pair.product.name, (farewells[0]?.at ?? Number.NaN) - at, "ms");
  if (count > 1)
    report.sample(`${what}: last priority 0`, pair.product.name, largest(farewells.map((a) => a.at)) - at, "ms");
  report.sample(`${what}: addresses gone`, pair.product.name, last - at, "ms");
  report.sample(`${what}: process gone`, pair.product.name, ended - at, "ms");
  watch.close();
  pair.capture.forget(now());
}
