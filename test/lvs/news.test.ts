/** When the balancer tells what it did. */
import { expect, test } from "vitest";
import { Alarms } from "../../src/lvs/balancer-clock.ts";
import { News } from "../../src/lvs/news.ts";
import type { LvsEvent } from "../../src/lvs/status.ts";
import {
  lvs,
  realServer,
  SimulatedBalancer,
  service,
  VirtualTime,
  virtualServer,
} from "../support/simulated-balancer.ts";

const warning = (message: string) => ({ type: "lvs_warning", message }) as const;

test("servers that come up together are told of when all are in the table", async () => {
  const it = new SimulatedBalancer();
  const told: number[] = [];
  it.kernel.watch = () => told.push(it.events.length);
  const all = Array.from({ length: 40 }, (_, i) =>
    virtualServer({
      name: `s${i}`,
      services: [service(`198.51.100.${i}`)],
      servers: [realServer(21, { checks: [] })],
    }),
  );
  await it.start(lvs(...all));
  // A service with its server each, and of each that it is up, and the quorum.
  expect(told).toEqual(new Array(80).fill(0));
  expect(it.events).toHaveLength(80);
});

test("while there is more to do, what happened is told after a second, as of when it did", async () => {
  const time = new VirtualTime();
  const told: LvsEvent[] = [];
  let busy = true;
  const news = new News(
    time,
    new Alarms(time),
    (event) => told.push(event),
    () => busy,
  );
  news.add([warning("first")]);
  await time.advance(600);
  news.add([warning("second")]);
  await time.advance(399);
  expect(told).toEqual([]);
  await time.advance(1);
  expect(told).toEqual([
    { at: "2026-01-01T00:00:01.000Z", type: "lvs_warning", message: "first" },
    { at: "2026-01-01T00:00:01.600Z", type: "lvs_warning", message: "second" },
  ]);
  busy = false;
  news.add([warning("third")]);
  expect(told.at(-1)).toEqual({ at: "2026-01-01T00:00:02.000Z", type: "lvs_warning", message: "third" });
});
