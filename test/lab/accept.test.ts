// accept: false: nothing is taken in at the addresses, everything else goes on.
import { expect } from "vitest";
import { scenario } from "../support/lab.ts";
import { eventually } from "../support/lab-process.ts";
import { defaultAddresses, usesViprd, vip4, vip6, viprdConfig } from "../support/lab-routers.ts";
import { T1, T2x2 } from "../support/lab-topologies.ts";

const mac4 = "00:00:5e:00:01:33";
const addresses = [...defaultAddresses(4), ...defaultAddresses(6)];

function config(accept: boolean, more: Readonly<Record<string, unknown>> = {}): string {
  return viprdConfig({ web: { priority: 200, addresses, viprd: { accept, ...more } } });
}

if (usesViprd()) {
  scenario("the address is silent, found, and routes", { topology: T2x2 }, async (lab) => {
    const r1 = await lab.viprd("r1", config(false, { use_vmac: true }));
    await r1.waitState("web", "active", 10_000);
    // The way back from the other side is this router's own address.
    await lab.namespaces.shell("h2", "ip route replace 192.0.2.0/24 via 198.51.100.11");
    await eventually("routed", () => lab.hosts.reaches("h1", "198.51.100.100"), 3_000);
    expect([await lab.hosts.reaches("h1", vip4), await lab.hosts.reaches("h1", vip6)]).toEqual([false, false]);
    expect(await lab.hosts.whoAnswers("h1", vip4)).toEqual(["r1"]);
    expect(await lab.hosts.whoAnswers("h1", vip6)).toEqual(["r1"]);
    expect(await lab.hosts.neighbor("h1", vip4)).toBe(mac4);
    // A unicast solicitation, as sent to a neighbour that may have gone.
    await lab.namespaces.shell("h1", `ip neigh change ${vip6} dev e0 nud probe`);
    await eventually(
      "still a neighbour",
      async () => {
        return (await lab.namespaces.shell("h1", `ip neigh show ${vip6}`)).includes("REACHABLE");
      },
      3_000,
    );
    r1.reload(config(true, { use_vmac: true }));
    await eventually("taken in", () => lab.hosts.reaches("h1", vip4), 3_000);
    expect(await lab.hosts.reaches("h1", vip6)).toBe(true);
    expect((await r1.transitions()).map(({ to }) => to)).toEqual(["backup", "active"]);
  });

  scenario("a filter that others flush or a kill leaves behind", { topology: T1 }, async (lab) => {
    const tables = () => lab.namespaces.shell("r1", "nft list tables");
    await lab.namespaces.shell("r1", "nft add table inet theirs");
    const r1 = await lab.viprd("r1", config(false));
    await r1.waitState("web", "active", 10_000);
    expect(await tables()).toBe("table inet theirs\ntable inet viprd\n");
    await lab.namespaces.shell("r1", "nft flush ruleset");
    await eventually("made again", async () => (await tables()) === "table inet viprd\n", 1_000);
    await eventually(
      "told",
      () =>
        r1.log.some(({ message }) => /packet filter for accept: false was changed by nft \(pid \d+\)/.test(message)),
      1_000,
    );
    expect(await lab.hosts.reaches("h1", vip4)).toBe(false);
    await lab.kill9(r1);
    expect(await tables()).toBe("table inet viprd\n");
    const again = await lab.viprd("r1", config(true));
    await again.waitState("web", "active", 10_000);
    expect(await tables()).toBe("");
    expect(await lab.hosts.reaches("h1", vip4)).toBe(true);
  });

  scenario("the owner takes in what is sent to its address", { topology: T1 }, async (lab) => {
    const web = { priority: 255, addresses: ["192.0.2.11/24"], viprd: { accept: false } };
    const r1 = await lab.viprd("r1", viprdConfig({ web }));
    await r1.waitState("web", "active", 10_000);
    expect(await lab.hosts.reaches("h1", "192.0.2.11")).toBe(true);
  });
}
