// other hosts that have the virtual address: silent ones, loud ones, a router that does not let go, floods.
import { expect } from "vitest";
import { encodeGratuitousArp } from "../../src/wire/arp.ts";
import { encodeUnsolicitedAdvertisement } from "../../src/wire/neighbor.ts";
import { type Lab, scenario } from "../support/lab.ts";
import { expectBetween } from "../support/lab-checks.ts";
import { bytesOf } from "../support/lab-forge.ts";
import { pairs } from "../support/lab-pairs.ts";
import { eventually, sleep } from "../support/lab-process.ts";
import { defaultAddresses, usesViprd } from "../support/lab-routers.ts";
import { T1, T2 } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

async function single(lab: Lab, family: 4 | 6): Promise<Viprd> {
  const r1 = await lab.router("r1", "viprd", { priority: 200, addresses: defaultAddresses(family) });
  if (!(r1 instanceof Viprd)) throw new Error("r1 has to be viprd");
  return r1;
}

const vipOf = { 4: "192.0.2.1", 6: "2001:db8::51" } as const;
const stranger = Uint8Array.of(2, 0, 0, 0, 0x99, 0x99);

if (usesViprd()) {
  for (const family of [4, 6] as const) {
    const vip = vipOf[family];

    scenario(
      `a host that has the address and says nothing is found by asking: IPv${family}`,
      { topology: T1 },
      async (lab) => {
        await lab.namespaces.ip("h1", [`addr add ${vip}/${family === 4 ? 24 : "64 nodad"} dev e0`]);
        const r1 = await single(lab, family);
        const first = await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
        const duplicates = await eventually(
          "a duplicate",
          async () => {
            const found = (await r1.instance()).duplicates;
            return found.length > 0 && found;
          },
          5_000,
        );
        expect(duplicates).toMatchObject([{ address: vip, mac: await lab.hosts.mac("h1"), interface: "e0" }]);
        expectBetween("told after", Date.parse(duplicates[0]?.first ?? "") - first.at, 900, 1_600);
        const line = r1.log.find(({ message }) => message.startsWith(`${vip} is claimed by`));
        expect(line?.message).toContain(`${await lab.hosts.mac("h1")} on e0 as well`);
        expect((await r1.instance()).state).toBe("active");
      },
    );

    scenario(
      `a host that announces the address while it is held is told once, and changes nothing: IPv${family}`,
      { topology: T2 },
      async (lab) => {
        const r1 = await single(lab, family);
        const r2 = await lab.router("r2", "viprd", { priority: 100, addresses: defaultAddresses(family) });
        await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
        await r1.waitState("web", "active", 5_000);
        await sleep(1_300);
        const frame =
          family === 4
            ? encodeGratuitousArp(stranger, bytesOf(vip))
            : encodeUnsolicitedAdvertisement(stranger, bytesOf(vip));
        const injector = await lab.injector("h1");
        await injector.repeat([frame], 10, 100);
        await sleep(500);
        expect((await r1.instance()).duplicates).toMatchObject([{ address: vip, mac: "02:00:00:00:99:99", count: 10 }]);
        expect(r1.log.filter(({ message }) => message.startsWith(`${vip} is claimed by`))).toHaveLength(1);
        expect((await r1.transitions()).map(({ to }) => to)).toEqual(["backup", "active"]);
        // Not asked for by anybody who does not hold it.
        if (r2 instanceof Viprd) expect((await r2.instance()).duplicates).toEqual([]);
      },
    );
  }

  scenario(
    "10 000 claims a second: no advertisement is late, and the rest of the LAN's ARP wakes nobody",
    { topology: T2 },
    async (lab) => {
      const r1 = await single(lab, 4);
      await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
      await sleep(1_300);
      const injector = await lab.injector("h1");
      const claims = Array.from({ length: 200 }, (_, i) =>
        encodeGratuitousArp(Uint8Array.of(2, 0, 0, 9, 9, i), bytesOf("192.0.2.1")),
      );
      const others = Array.from({ length: 200 }, (_, i) =>
        encodeGratuitousArp(Uint8Array.of(2, 0, 0, 8, 8, i), bytesOf(`192.0.2.${i + 20}`)),
      );
      const from = Date.now();
      await injector.repeat(claims, 40_000, 0.1);
      const claimed = { seconds: (Date.now() - from) / 1000, cpu: r1.usage().cpuMs };
      await injector.repeat(others, 40_000, 0.1);
      const other = { cpu: r1.usage().cpuMs - claimed.cpu };
      const times = lab.capture.adverts({ node: "r1", from }).map(({ at }) => at);
      for (const [i, at] of times.entries())
        if (i > 0) expectBetween("advert gap", at - (times[i - 1] ?? 0), 950, 1_050);
      expect(times.length).toBeGreaterThanOrEqual(6);
      expectBetween("processor time in ms while others' ARP floods", other.cpu, 0, 250);
      const { duplicates, counters } = await r1.instance();
      expect(duplicates).toHaveLength(16);
      expect(counters.became_active).toBe(1);
      const told = r1.log.filter(({ message }) => message.startsWith("192.0.2.1 is claimed by"));
      expectBetween("lines", told.length, 1, claimed.seconds + 3);
    },
  );
}

for (const pair of pairs({ viprd: "r2", versions: [3], families: [4] })) {
  scenario(
    `a killed router whose host keeps the address is told by the one that took over: ${pair.name}`,
    { topology: T2, dirty: true, dual: true },
    async (lab) => {
      const { r1, r2 } = await pair.settled(lab, { priority: 200, viprd: { lease: false } }, { priority: 100 });
      await sleep(1_200);
      await lab.kill9(r1);
      await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      if (!(r2 instanceof Viprd)) return;
      const found = await eventually("a duplicate", async () => (await r2.instance()).duplicates[0], 5_000);
      expect(found).toMatchObject({ address: pair.vip, mac: await lab.hosts.mac("r1"), relieved: true });
    },
  );
}
