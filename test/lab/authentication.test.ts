// auth_hmac on real interfaces: replays, forgeries, keys that change (draft-cassen-vrrp-auth-hmac). Debian's keepalived has none.
import { writeFileSync } from "node:fs";
import { expect } from "vitest";
import { scenario } from "../support/lab.ts";
import { downTime, expectBetween, expectTime, tolerance } from "../support/lab-checks.ts";
import { pairs } from "../support/lab-pairs.ts";
import { sleep } from "../support/lab-process.ts";
import { isSignedWith, keyIdOf, replayed } from "../support/lab-signed.ts";
import { T2 } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

const secret = "a0".repeat(32);
const other = "b1".repeat(48);

function authHmac(keys: Readonly<Record<number, string>>, active_key: number) {
  return { viprd: { auth_hmac: { keys, active_key } } };
}

for (const pair of pairs({ viprd: "both" })) {
  scenario(
    `signed adverts that are replayed do not keep a backup waiting: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const signed = authHmac({ 1: `hex:${secret}` }, 1);
      const { r2 } = await pair.settled(lab, { priority: 200, ...signed }, { priority: 100, ...signed });
      const injector = await lab.injector("h1");
      await sleep(3_000);
      const recorded = lab.capture.adverts({ node: "r1" }).map(replayed).reverse();
      expect(lab.capture.adverts({ node: "r1" }).every((advert) => isSignedWith(advert, secret))).toBe(true);
      await lab.killNode("r1");
      const last = lab.capture.lastAdvert({ node: "r1" });
      const [first] = await Promise.all([
        lab.capture.waitForAdvert({ node: "r2" }, 10_000),
        injector.repeat(recorded, 16, 500),
      ]);
      expectTime("takeover", first.at - last.at, downTime(pair.version, 100, 1000), tolerance(1000));
      expect(isSignedWith(first, secret)).toBe(true);
      if (!(r2 instanceof Viprd)) return;
      const replays = await r2.rejected("hmac_replay");
      expectBetween("replays", replays, 3, 16);
      expect(replays + (await r2.rejected("hmac_stale"))).toBe(16);
      const { authentication, state } = await r2.instance();
      expect(state).toBe("active");
      expect(authentication?.last_refusal).toMatchObject({ rejection: expect.stringMatching(/^hmac_(replay|stale)$/) });
    },
  );
}

for (const pair of pairs({ viprd: "both", families: [4] })) {
  const unicast = {
    r1: { source: "192.0.2.11", peers: ["192.0.2.12"] },
    r2: { source: "192.0.2.12", peers: ["192.0.2.11"] },
  };

  scenario(
    `the key changes by reloads, without an election or a refused advert, unicast: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const old = `${lab.directory}/old.key`;
      const next = `${lab.directory}/next.key`;
      writeFileSync(old, `hex:${secret}\n`, { mode: 0o600 });
      writeFileSync(next, `hex:${other}\n`, { mode: 0o600 });
      const files = { 1: `file:${old}`, 2: `file:${next}` };
      const steps = [authHmac(files, 1), authHmac(files, 2), authHmac({ 2: files[2] }, 2)];
      const one = { priority: 200, ...unicast.r1 };
      const two = { priority: 100, ...unicast.r2 };
      const start = authHmac({ 1: files[1] }, 1);
      const { r1, r2 } = await pair.settled(lab, { ...one, ...start }, { ...two, ...start });
      for (const step of steps) {
        lab.reload(r2, pair.spec({ ...two, ...step }));
        await sleep(700);
        lab.reload(r1, pair.spec({ ...one, ...step }));
        await sleep(1_300);
      }
      const adverts = lab.capture.adverts({ node: "r1" });
      expect([keyIdOf(adverts[0] as (typeof adverts)[0]), keyIdOf(lab.capture.lastAdvert({ node: "r1" }))]).toEqual([
        1, 2,
      ]);
      for (const advert of adverts) expect(isSignedWith(advert, keyIdOf(advert) === 1 ? secret : other)).toBe(true);
      expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
      for (const router of [r1, r2]) {
        if (!(router instanceof Viprd)) continue;
        const { counters, authentication, transitions } = await router.instance();
        expect(counters.rejected).toEqual({});
        expect(authentication).toMatchObject({ active_key: 2, keys: [{ id: 2 }] });
        expect(transitions).toHaveLength(router === r1 ? 2 : 1);
        const said = router.log.map(({ text }) => text).join("\n");
        expect(said).not.toMatch(/a0a0a0|b1b1b1/);
      }
    },
  );
}

for (const pair of pairs({ viprd: "both", versions: [3], families: [4] })) {
  scenario(
    `a flood of forged signatures is counted exactly and delays no advert: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const spec = { interval: 200, ...authHmac({ 1: `hex:${secret}` }, 1) };
      const { r2 } = await pair.settled(lab, { priority: 200, ...spec }, { priority: 100, ...spec });
      const injector = await lab.injector("h1");
      const genuine = replayed(lab.capture.lastAdvert({ node: "r1" }));
      // The stamp is fresh and the key is known: every one of them costs a hash.
      const forged = Array.from({ length: 16 }, (_, i) => genuine.with(-1 - i, (genuine.at(-1 - i) ?? 0) ^ 1));
      const count = 4_000;
      if (!(r2 instanceof Viprd)) return;
      const before = r2.usage().cpuMs;
      await injector.repeat(forged, count, 0.4);
      await sleep(500);
      // The kernel of r1 drops what comes in under its own address.
      expect(await r2.rejected("hmac_invalid")).toBe(count);
      expectBetween("processor time in ms", r2.usage().cpuMs - before, 0, 1_000);
      expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
    },
  );

  scenario(
    `a key that changes on one side makes two actives that say so, until it is equal again: ${pair.name}`,
    { topology: T2, dual: true },
    async (lab) => {
      const [old, next] = [authHmac({ 1: `hex:${secret}` }, 1), authHmac({ 1: `hex:${other}` }, 1)];
      const { r1, r2 } = await pair.settled(lab, { priority: 200, ...old }, { priority: 100, ...old });
      lab.interrupted("r1");
      lab.reload(r1, pair.spec({ priority: 200, ...next }));
      await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      await sleep(1_500);
      for (const router of [r1, r2]) {
        if (!(router instanceof Viprd)) continue;
        expect(await router.rejected("hmac_invalid")).toBeGreaterThanOrEqual(1);
        const said = router.log.some(({ text }) => /hmac_invalid .*both nodes will be active/.test(text));
        expect(said, router.node).toBe(true);
      }
      lab.reload(r2, pair.spec({ priority: 100, ...next }));
      const equal = Date.now();
      await sleep(3_000);
      expectBetween("last advert of r2", lab.capture.lastAdvert({ node: "r2" }).at - equal, -1_100, 1_050 + 600);
    },
  );
}
