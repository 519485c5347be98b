import { expect, test } from "vitest";
import { networkInterface } from "../../src/healthchecks/interface.ts";
import { holdLinks } from "../../src/healthchecks/links.ts";
import { probeOnce } from "./support.ts";

const ask = (name: string) => probeOnce(networkInterface, { type: "interface", interface: name });

test("an interface that there is not", async () => {
  expect(await ask("nosuch0")).toEqual({ ok: false, reason: "there is no interface nosuch0" });
});

test("loopback is either up or set down, as the kernel says", async () => {
  const outcome = await ask("lo");
  expect(outcome).toEqual(
    outcome.ok ? { ok: true, reason: "lo is up and running" } : { ok: false, reason: "lo is set down" },
  );
});

test("all holders share one table; it is closed with the last, and opened again for the next", async () => {
  const first = holdLinks(() => {});
  const second = holdLinks(() => {});
  expect(first.ready).toBe(second.ready);
  await first.ready;
  first.release();
  expect(second.byName("lo")?.name).toBe("lo");
  second.release();
  const third = holdLinks(() => {});
  expect(third.ready).not.toBe(first.ready);
  await third.ready;
  third.release();
});
