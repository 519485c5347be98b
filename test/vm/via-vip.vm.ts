/** Checks through the virtual address, beside plain ones that see nothing of what is wrong on the way. */
import { expect } from "vitest";
import type { StatusDocument } from "../../src/daemon/status.ts";
import { eventually } from "../support/lab-process.ts";
import type { Viprd } from "../support/lab-viprd.ts";
import { type Method, service, services } from "./support/config.ts";
import { type Farm, farm, server, settles, vip } from "./support/farm.ts";

const timing = "interval: 1s, timeout: 1s, rise: 1, fall: 2";
const through = `{ type: tcp, via_vip: true, ${timing} }`;

/** Without the services that checks go through, whose marks are a matter of their own. */
async function balanced(f: Farm): Promise<string[]> {
  return (await f.saved()).filter((line) => !line.includes(" -f "));
}

async function probes(f: Farm): Promise<number> {
  return (await f.saved()).filter((line) => line.startsWith("-a -f ") && line.includes(" -w 1")).length;
}

/** States that a server has been in. */
async function changesOf(viprd: Viprd, index: number): Promise<readonly string[]> {
  const answer = await viprd.call("GET", "/v1/status");
  const { virtual_servers = [] } = (answer?.body ?? {}) as Partial<StatusDocument>;
  const found = virtual_servers[0]?.servers.find(({ name }) => name === `${server(index)}:80`);
  return (found?.changes ?? []).map(({ at, state }) => `${at} ${state}`);
}

function table(method: "-m" | "-g", ...indexes: readonly number[]): string[] {
  return [`-A -t ${vip}:80 -s rr`, ...indexes.map((index) => `-a -t ${vip}:80 -r ${server(index)}:80 ${method} -w 1`)];
}

function serve(f: Farm, check: string, method: Method): Viprd {
  return f.viprd(services(service("web", { servers: [1, 2], check, method })));
}

farm("a server behind NAT is asked on the way of clients, and found down when that is cut", {}, async (f) => {
  for (const rs of f.servers) await rs.listen("http", 80);
  const viprd = serve(f, `{ type: http, path: /, via_vip: true, ${timing} }`, "nat");
  await settles(() => balanced(f), table("-m", 1, 2));
  expect(await probes(f)).toBe(2);
  const answer = await viprd.call("GET", "/v1/status");
  const text = JSON.stringify(answer?.body);
  expect(text).toContain(`via ${vip}:80 to ${server(1)}:80`);
  expect(text).toContain('"unmanaged":[]');
  await f.rs(1).answer(503);
  await settles(() => balanced(f), table("-m", 2));
  // What is down is asked on, by a service of its own.
  expect(await probes(f)).toBe(2);
  // Whoever takes that away has the other server answer; that does not bring this one up.
  const marked = new RegExp(`^-a -f (\\d+) -r ${server(1)}:80 `);
  const mark = (await f.saved()).flatMap((line) => marked.exec(line)?.[1] ?? []);
  expect(mark).toHaveLength(1);
  const before = await changesOf(viprd, 1);
  await f.shell("director", `for i in $(seq 12); do ipvsadm -D -f ${mark[0]} 2>/dev/null || true; sleep 0.1; done`);
  await eventually("its service is back", async () => (await probes(f)) === 2, 20_000);
  expect(await changesOf(viprd, 1)).toEqual(before);
  expect(JSON.stringify((await viprd.call("GET", "/v1/status"))?.body)).toMatch(/"repaired":[1-9]/);
  await f.rs(1).answer(200);
  await settles(() => balanced(f), table("-m", 1, 2));
  // Whoever takes everything away has no server answer; that does not take this one down.
  const kept = await changesOf(viprd, 2);
  await f.shell("director", "for i in $(seq 12); do ipvsadm -C; sleep 0.1; done");
  await settles(() => balanced(f), table("-m", 1, 2));
  expect(await changesOf(viprd, 2)).toEqual(kept);
  await viprd.child.stop();
  expect(await probes(f)).toBe(0);
});

farm("a server without the virtual address is down, although it answers by itself", { wiring: "direct" }, async (f) => {
  for (const rs of f.servers) await rs.listen("tcp", 80);
  // The active director has the virtual address, from which the answers come.
  await f.shell("director", "echo 1 > /proc/sys/net/ipv4/conf/e1/accept_local");
  await f.shell("director", "for d in all e1; do echo 0 > /proc/sys/net/ipv4/conf/$d/rp_filter; done");
  const viprd = serve(f, `[${through}, { type: tcp, ${timing} }]`, "direct");
  await settles(() => balanced(f), table("-g", 1, 2));
  await f.shell("rs1", `ip addr del ${vip}/32 dev lo`);
  await settles(() => balanced(f), table("-g", 2));
  const body = async (): Promise<string> => JSON.stringify((await viprd.call("GET", "/v1/status"))?.body);
  // The plain one goes on answering.
  const sees = async (): Promise<boolean> => (await body()).includes(`connected to ${server(1)}:80"`);
  await eventually("the plain check answers", sees, 60_000);
  expect(await body()).toContain(`connect ${server(1)}:80 through ${vip}:80: `);
  await f.shell("rs1", `ip addr add ${vip}/32 dev lo`);
  await settles(() => balanced(f), table("-g", 1, 2));
});

farm("a director that stands by asks in the same way", { wiring: "direct", address: false }, async (f) => {
  for (const rs of f.servers) await rs.listen("tcp", 80);
  serve(f, through, "direct");
  await settles(() => balanced(f), table("-g", 1, 2));
  await f.shell("rs2", `ip addr del ${vip}/32 dev lo`);
  await settles(() => balanced(f), table("-g", 1));
});
