/** What clients notice of a virtual server while servers fail, leave and are drained, and while viprd itself ends. */
import { expect } from "vitest";
import type { StatusDocument } from "../../src/daemon/status.ts";
import type { RealServerStatus } from "../../src/lvs/status.ts";
import { eventually } from "../support/lab-process.ts";
import type { Viprd } from "../support/lab-viprd.ts";
import { healthPort, service, services } from "./support/config.ts";
import { type Farm, farm, server, settles, vip } from "./support/farm.ts";
import { tableWrites } from "./support/table-writes.ts";

const head = `-A -t ${vip}:80 -s rr`;

function table(weights: Readonly<Record<number, number>>): string[] {
  const entries = Object.entries(weights);
  return [head, ...entries.map(([index, weight]) => `-a -t ${vip}:80 -r ${server(Number(index))}:80 -m -w ${weight}`)];
}

async function serve(f: Farm): Promise<void> {
  await Promise.all(f.servers.flatMap((rs) => [rs.listen("tcp", 80), rs.listen("http", healthPort)]));
}

/** Waits until the balancer has done what the table shows. */
async function shows(f: Farm, weights: Readonly<Record<number, number>>): Promise<void> {
  await settles(() => f.saved(), table(weights));
}

/** What viprd says about a server of "web". */
async function told(viprd: Viprd, index: number): Promise<RealServerStatus | undefined> {
  const answer = await viprd.call("GET", "/v1/status");
  const { virtual_servers = [] } = (answer?.body ?? {}) as Partial<StatusDocument>;
  return virtual_servers[0]?.servers.find(({ name }) => name === `${server(index)}:80`);
}

farm("the sorry server stands in and steps back, and no client is ever refused", { servers: 3 }, async (f) => {
  await serve(f);
  await Promise.all(f.servers.map((rs) => rs.listen("tcp", 81)));
  const strict = service("strict", { servers: [1, 2], sorry: 3, port: 81, more: ["quorum: 2"] });
  f.viprd(services(service("web", { servers: [1, 2], sorry: 3 }), strict));
  const both = async (web: readonly number[], other: readonly number[]): Promise<void> => {
    const all = (port: number, indexes: readonly number[]): string[] => [
      `-A -t ${vip}:${port} -s rr`,
      ...indexes.map((index) => `-a -t ${vip}:${port} -r ${server(index)}:${port} -m -w 1`),
    ];
    // At weight 0 a sorry server that steps back waits for what it has, if only for what the kernel remembers.
    const taking = async () => (await f.saved()).filter((line) => !line.endsWith(" -w 0"));
    await settles(taking, [...all(80, web), ...all(81, other)]);
  };
  await both([1, 2], [1, 2]);
  const loops = [await f.client.loop(vip, 80), await f.client.loop(vip, 81)];
  await f.rs(1).answer(503);
  await both([2], [3]);
  await f.rs(2).answer(503);
  await both([3], [3]);
  const flow = await f.client.flow(vip, 80);
  expect(flow.server).toBe("rs3");
  await f.rs(2).answer(200);
  await both([2], [3]);
  expect(await f.saved()).toContain(`-a -t ${vip}:80 -r ${server(3)}:80 -m -w 0`);
  expect(await f.client.many(6, vip, 80)).toEqual({ rs2: 6 });
  await f.rs(1).answer(200);
  await both([1, 2], [1, 2]);
  const { returned } = await flow.state();
  await eventually(
    "the flow to the sorry server goes on",
    async () => (await flow.state()).returned > returned + 5,
    20_000,
  );
  expect((await flow.state()).ended).toBe("");
  for (const loop of loops) {
    const counts = await loop.stop();
    expect(Object.keys(counts).sort(), JSON.stringify(counts)).toEqual(["rs1", "rs2", "rs3"]);
  }
});

farm("a drained server keeps its live connection and gets no new one", { servers: 2 }, async (f) => {
  await serve(f);
  const viprd = f.viprd(services(service("web", { servers: [1, 2] })));
  await shows(f, { 1: 1, 2: 1 });
  const flows = [await f.client.flow(vip, 80), await f.client.flow(vip, 80)];
  const flow = flows.find((one) => one.server === "rs1");
  if (flow === undefined) throw new Error("round robin sent both to rs2");
  expect(await viprd.cli("drain", `${server(1)}:80`, "--reason", "new disks")).toContain(`${server(1)}:80`);
  await shows(f, { 1: 0, 2: 1 });
  expect(await f.client.many(6, vip, 80)).toEqual({ rs2: 6 });
  const { returned } = await flow.state();
  await eventually("the flow goes on", async () => (await flow.state()).returned > returned + 5, 20_000, 100);
  // Over a restart as well.
  await viprd.kill9All();
  const again = f.viprd(services(service("web", { servers: [1, 2] })));
  await eventually("the drain is known", async () => (await told(again, 1))?.state === "draining", 100_000, 200);
  expect((await told(again, 1))?.admin[0]?.reason).toBe("new disks");
  expect(await f.saved()).toEqual(table({ 1: 0, 2: 1 }));
  expect(await f.client.many(4, vip, 80)).toEqual({ rs2: 4 });
  expect((await flow.state()).ended).toBe("");

  await flow.end();
  await again.cli("drain", `${server(1)}:80`, "--wait", "--timeout", "30s");
  await again.cli("undrain", `${server(1)}:80`);
  await shows(f, { 1: 1, 2: 1 });
  expect(await f.client.many(4, vip, 80)).toEqual({ rs1: 2, rs2: 2 });
});

farm("a server that leaves the file keeps its live connection until it ends", { servers: 2 }, async (f) => {
  await serve(f);
  const viprd = f.viprd(services(service("web", { servers: [1, 2], more: ["drain_timeout: 10m"] })));
  await shows(f, { 1: 1, 2: 1 });
  const flows = [await f.client.flow(vip, 80), await f.client.flow(vip, 80)];
  const flow = flows.find((one) => one.server === "rs1");
  if (flow === undefined) throw new Error("round robin sent both to rs2");
  // First it becomes the sorry server: it is the same destination for the kernel.
  viprd.reload(services(service("web", { servers: [2], sorry: 1, more: ["drain_timeout: 10m"] })));
  await shows(f, { 1: 0, 2: 1 });
  viprd.reload(services(service("web", { servers: [2], more: ["drain_timeout: 10m"] })));
  await shows(f, { 1: 0, 2: 1 });
  const { returned } = await flow.state();
  await eventually("the flow goes on", async () => (await flow.state()).returned > returned + 5, 20_000, 100);
  expect((await flow.state()).ended).toBe("");
  await flow.end();
  await shows(f, { 2: 1 });
});

farm(
  "killed and started again in full traffic, viprd changes nothing and nobody notices",
  { servers: 2 },
  async (f) => {
    await serve(f);
    const file = services(service("web", { servers: [1, 2], more: ["lvs_sched: wrr"] }));
    const viprd = f.viprd(file);
    const weighted = table({ 1: 1, 2: 1 }).map((line) => line.replace("-s rr", "-s wrr"));
    await settles(() => f.saved(), weighted);
    const flow = await f.client.flow(vip, 80);
    const loop = await f.client.loop(vip, 80);
    const writes = await tableWrites(f);

    await viprd.kill9All();
    expect(await f.saved()).toEqual(weighted);
    const again = f.viprd(file);
    await eventually("viprd knows the servers", async () => (await told(again, 2))?.state === "up", 100_000, 200);
    expect(await f.saved()).toEqual(weighted);
    await again.term();
    expect(await f.saved()).toEqual(weighted);

    await f.shell("director", `ipvsadm -e -t ${vip}:80 -r ${server(1)}:80 -m -w 1`);
    expect(await writes(), "the last one is ipvsadm's, just now").toEqual(["set destination"]);
    expect((await flow.state()).ended).toBe("");
    const counts = await loop.stop();
    expect(Object.keys(counts).sort(), JSON.stringify(counts)).toEqual(["rs1", "rs2"]);
  },
);
