// tracked interfaces and sync groups, viprd and keepalived told the same (RFC 9568 sections 5.2.4 and 6.4).
import { rmSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { type Lab, type Router, scenario } from "../support/lab.ts";
import { downTime, expectBetween, expectTakeover, expectTime, skewTime, tolerance } from "../support/lab-checks.ts";
import { pairs } from "../support/lab-pairs.ts";
import { eventually, sleep } from "../support/lab-process.ts";
import {
  type Implementation,
  keepalivedConfig,
  type RouterSpecs,
  type State,
  viprdConfig,
} from "../support/lab-routers.ts";
import { T2, T2x2 } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

const d100 = downTime(3, 100, 1000);
const d200 = downTime(3, 200, 1000);
const s100 = skewTime(3, 100, 1000);

const tracked = {
  priority: 200,
  viprd: { track: [{ interface: "up0", priority: -110 }] },
  keepalived: ["track_interface { up0 weight -110 }"],
};
const yielding = { ...tracked, viprd: { ...tracked.viprd, yield_on_lower_priority: true } };

/** An interface of r1 that leads nowhere. */
async function addUplink(lab: Lab, node = "r1"): Promise<void> {
  await lab.namespaces.ip(node, [
    // Of MAC addresses like these it is known that their link-local addresses, which come late, are not the router's doing.
    "link add up0 address 02:00:00:00:0f:01 type veth peer name down0 address 02:00:00:00:0f:02",
    "link set down0 up",
    "link set up0 up",
  ]);
}

async function setUplink(lab: Lab, state: "up" | "down"): Promise<void> {
  await lab.namespaces.ip("r1", [`link set up0 ${state}`]);
}

for (const pair of pairs({ families: [4], versions: [3] })) {
  scenario(
    `a tracked interface lowers the priority, and gives it back exactly: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      await addUplink(lab);
      const { r1 } = await pair.settled(lab, tracked, { priority: 100 });
      const ping = lab.hosts.ping("h1", pair.vip);
      await sleep(400);
      const down = Date.now();
      await setUplink(lab, "down");
      const lowered = await lab.capture.waitForAdvert({ node: "r1", priority: 90, from: down - 20 }, 5_000);
      // keepalived tells it with its next advertisement.
      if (r1 instanceof Viprd) expectBetween("advert after the loss", lowered.at - down, -20, 100);
      const second = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      expectTakeover(lab.capture.lastAdvert({ node: "r1", priority: 200 }), second, d100);
      await setUplink(lab, "up");
      const back = await lab.capture.waitForAdvert({ node: "r1", from: second.at + 200 }, 10_000);
      expect(back.priority).toBe(200);
      // Its timer runs since r2's last advertisement that it accepted.
      expectBetween("active again after r2's first advert", back.at - second.at, d200 - 2, d200 + 2_000);
      await sleep(1_200);
      await ping.expectLossAtMost(4);
      if (r1 instanceof Viprd) {
        expect((await r1.instance()).priority).toEqual({ base: 200, effective: 200, parts: [] });
      }
    },
  );
}

for (const pair of pairs({ families: [4], versions: [3], viprd: "r1" })) {
  scenario(`a router that yields is relieved within the skew: ${pair.name}`, { topology: T2 }, async (lab) => {
    await addUplink(lab);
    const { r1 } = await pair.settled(lab, yielding, { priority: 100 });
    const ping = lab.hosts.ping("h1", pair.vip);
    await sleep(400);
    await setUplink(lab, "down");
    const zero = await lab.capture.waitForAdvert({ node: "r1", priority: 0 }, 5_000);
    const second = await lab.capture.waitForAdvert({ node: "r2" }, 5_000);
    expectTime("takeover after priority 0", second.at - zero.at, s100, tolerance(1000));
    // It held the address until the other one spoke.
    const gone = await r1.entered("web", "backup", 3_000, zero.at);
    expectBetween("backup after the takeover", gone - second.at, -2, 60);
    await sleep(600);
    await ping.expectLossAtMost(3);
  });
}

scenario(
  "a router that yields to nobody better keeps its role and its rhythm: viprd",
  { topology: T2 },
  async (lab) => {
    await addUplink(lab);
    await lab.router("r1", "viprd", yielding);
    await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
    await lab.router("r2", "viprd", { priority: 80 });
    const ping = lab.hosts.ping("h1", "192.0.2.1");
    await sleep(1_200);
    for (const state of ["down", "up", "down"] as const) await setUplink(lab, state);
    await lab.capture.waitForAdvert({ node: "r1", priority: 90 }, 3_000);
    await sleep(3_000);
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
    await ping.expectLossAtMost(0);
  },
);

for (const pair of pairs({ families: [4], versions: [3] })) {
  scenario(`a script that fails is a fault, and clears by itself: ${pair.name}`, { topology: T2 }, async (lab) => {
    const file = `${lab.directory}/works`;
    writeFileSync(file, "");
    const command = ["/usr/bin/test", "-e", file];
    const one = pair.spec({
      priority: 200,
      viprd: { track: [{ check: "works" }] },
      keepalived: ["track_script { works }"],
    });
    const check = { type: "script", script: command, user: "root", interval: "200ms", rise: 1, fall: 1 };
    const script = `vrrp_script works {\n  script "${command.join(" ")}"\n  user root\n  interval 1\n  rise 1\n  fall 1\n}\n`;
    const r1 =
      pair.r1 === "viprd"
        ? await lab.viprd("r1", viprdConfig({ web: one }, { health_check: { works: check } }))
        : await lab.keepalived("r1", keepalivedConfig({ web: one }).replace("vrrp_instance", `${script}vrrp_instance`));
    await r1.entered("web", "backup", 15_000);
    const r2 = await pair.start(lab, "r2", { priority: 100 });
    await r2.entered("web", "backup", 15_000);
    await lab.capture.waitForAdvert({ node: "r1", holding: true }, 15_000);
    await sleep(50);
    const from = Date.now();
    rmSync(file);
    const zero = await lab.capture.waitForAdvert({ node: "r1", priority: 0, from }, 5_000);
    const second = await lab.capture.waitForAdvert({ node: "r2" }, 5_000);
    expectTime("takeover after priority 0", second.at - zero.at, s100, tolerance(1000) + 5);
    if (r1 instanceof Viprd) {
      const reasons = (await r1.instance()).reasons;
      expect(reasons).toHaveLength(1);
      expect(reasons[0]).toMatch(/^check works failed: /);
    }
    writeFileSync(file, "");
    await r1.entered("web", "active", 10_000, from);
    // Whoever runs it: the same faults, the same order of transitions.
    expect(await journey(r1, from)).toEqual(["initialize web", "backup web", "active web"]);
  });
}

const sides: (priority: number) => RouterSpecs = (priority) => ({
  outside: { priority, interface: "e1", vrid: 52, addresses: ["198.51.100.1/24"], checksum: "pseudo_header" },
  inside: { priority, interface: "e0", vrid: 51, addresses: ["192.0.2.1/24"], checksum: "pseudo_header" },
});

async function grouped(lab: Lab, node: string, implementation: Implementation, priority: number): Promise<Router> {
  await addUplink(lab, node);
  const specs = sides(priority);
  const group = ["outside", "inside"];
  if (implementation === "viprd")
    return lab.viprd(node, viprdConfig(specs, { vrrp_sync_group: { edge: { group, track: [{ interface: "up0" }] } } }));
  const text = `vrrp_sync_group edge {\n  group {\n    ${group.join("\n    ")}\n  }\n  track_interface {\n    up0\n  }\n}\n`;
  return lab.keepalived(node, `${keepalivedConfig(specs)}${text}`);
}

/** Which members entered which states, in order; what happened to both at once in the order of the names. */
async function journey(router: Router, from: number): Promise<string[]> {
  const states: { at: number; text: string }[] = [];
  if (router instanceof Viprd) {
    const { instances } = await router.status();
    for (const { name } of instances) {
      for (const { at, to } of await router.transitions(name))
        states.push({ at: Date.parse(at), text: `${to} ${name}` });
    }
  } else {
    const words: Readonly<Record<string, State>> = { MASTER: "active", BACKUP: "backup", FAULT: "initialize" };
    for (const { at, text } of router.child.lines) {
      const [, name = "", word = ""] = /\((\w+)\) Entering (\w+) STATE/.exec(text) ?? [];
      if (words[word] !== undefined) states.push({ at, text: `${words[word]} ${name}` });
    }
  }
  const told = states.filter(({ at }) => at >= from).sort((a, b) => a.at - b.at);
  // A pair of the same state is one step, whoever was first.
  const order: Readonly<Record<string, number>> = { initialize: 0, backup: 1, active: 2 };
  const steps: string[] = [];
  for (let i = 0; i < told.length; i += 2) {
    const pair = told.slice(i, i + 2).map(({ text }) => text);
    steps.push(
      ...pair.sort(
        (a, b) => (order[a.split(" ")[0] ?? ""] ?? 0) - (order[b.split(" ")[0] ?? ""] ?? 0) || a.localeCompare(b),
      ),
    );
  }
  return steps;
}

for (const pair of pairs({ families: [4], versions: [3] })) {
  scenario(
    `a sync group leaves together and returns together when one link is lost: ${pair.name}`,
    { topology: T2x2, dual: true },
    async (lab) => {
      const r1 = await grouped(lab, "r1", pair.r1, 200);
      for (const name of ["outside", "inside"]) await r1.entered(name, "backup", 15_000);
      const r2 = await grouped(lab, "r2", pair.r2, 100);
      for (const vrid of [51, 52]) await lab.capture.waitForAdvert({ node: "r1", vrid, holding: true }, 15_000);
      for (const name of ["outside", "inside"]) {
        await r2.entered(name, "backup", 15_000);
        await r1.waitState(name, "active", 5_000);
      }
      await sleep(1_300);
      const from = Date.now() - 5;
      const up = await lab.faults.linkDown("r1", "e1");
      const down = Date.now();
      const zero = await lab.capture.waitForAdvert({ node: "r1", vrid: 51, priority: 0, from }, 2_000);
      if (r1 instanceof Viprd) expectBetween("priority 0 on the other link", zero.at - from, 0, down - from + 100);
      // Together, at the later of the two times: the skew inside, the down interval outside.
      const inside = await lab.capture.waitForAdvert({ node: "r2", vrid: 51 }, 10_000);
      const outside = await lab.capture.waitForAdvert({ node: "r2", vrid: 52 }, 10_000);
      const last = lab.capture.lastAdvert({ node: "r1", vrid: 52, holding: true });
      if (r2 instanceof Viprd) {
        expectTime("takeover outside", outside.at - last.at, d100, tolerance(1000));
        expectBetween("inside beside outside", inside.at - outside.at, -5, 5);
      }
      await sleep(700);
      await up();
      for (const vrid of [51, 52]) {
        const back = await lab.capture.waitForAdvert({ node: "r1", vrid, from: Date.now() - 500 }, 10_000);
        expectBetween("return", back.at - down, 0, 15_000);
      }
      for (const name of ["inside", "outside"]) await r1.entered(name, "active", 5_000, from);
      await eventually("r2 is backup", async () => (await journey(r2, from)).length >= 4, 5_000);
      // Whoever runs it: the same faults, the same order of transitions.
      expect(await journey(r1, from)).toEqual([
        "initialize inside",
        "initialize outside",
        "backup inside",
        "backup outside",
        "active inside",
        "active outside",
      ]);
      expect((await journey(r2, from)).slice(0, 4)).toEqual([
        "active inside",
        "active outside",
        "backup inside",
        "backup outside",
      ]);
    },
  );
}

scenario(
  "adverts that are lost on one link only do not divide a sync group, and the status tells who waits for whom: viprd",
  { topology: T2x2 },
  async (lab) => {
    await grouped(lab, "r1", "viprd", 200);
    for (const vrid of [51, 52]) await lab.capture.waitForAdvert({ node: "r1", vrid }, 15_000);
    const r2 = await grouped(lab, "r2", "viprd", 100);
    if (!(r2 instanceof Viprd)) throw new Error("r2 is viprd");
    for (const name of ["outside", "inside"]) await r2.entered(name, "backup", 15_000);
    await lab.faults.drop("r1", "r2");
    await sleep(2 * d100 + 500);
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
    expect((await r2.instance("inside")).state).toBe("backup");
    expect(r2.log.map(({ message }) => message)).toContain(
      "willing to become active, waiting for outside (198.51.100.11 is active there)",
    );
    expect(await r2.cli("status")).toMatch(
      /member +outside {2}backup, blocks: 198\.51\.100\.11 is active, priority 200/,
    );
  },
);

scenario(
  "a reload that makes, changes and dissolves a sync group moves nothing: viprd",
  { topology: T2x2 },
  async (lab) => {
    await addUplink(lab);
    const group = (...members: readonly string[]) =>
      viprdConfig(sides(200), { vrrp_sync_group: { edge: { group: members, track: [{ interface: "up0" }] } } });
    const r1 = await lab.viprd("r1", viprdConfig(sides(200)));
    for (const name of ["outside", "inside"]) await r1.waitState(name, "active", 15_000);
    const members = async () => (await r1.cli("status")).match(/^ +(member +)?(out|in)side +active$/gm)?.length ?? 0;
    for (const [config, count] of [
      [group("outside", "inside"), 2],
      [group("outside"), 1],
      [viprdConfig(sides(200)), 0],
      [group("inside", "outside"), 2],
    ] as const) {
      r1.reload(config);
      await eventually(`a group of ${count}`, async () => (await members()) === count, 5_000);
    }
    await setUplink(lab, "down");
    for (const name of ["outside", "inside"]) await r1.waitState(name, "initialize", 3_000);
    expect((await r1.instance("inside")).reasons).toEqual(["sync group edge: interface up0 is down"]);
    for (const name of ["outside", "inside"]) {
      expect((await r1.transitions(name)).map(({ to }) => to)).toEqual(["backup", "active", "initialize"]);
    }
  },
);
