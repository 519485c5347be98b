/** viprd from its file to the table of the kernel, and what an operator does to servers while it runs. */
import { expect } from "vitest";
import type { StatusDocument } from "../../src/daemon/status.ts";
import type { RealServerStatus } from "../../src/lvs/status.ts";
import { eventually } from "../support/lab-process.ts";
import type { Viprd } from "../support/lab-viprd.ts";
import { farm, server, settles, vip } from "./support/farm.ts";

const check = "check: { type: tcp, interval: 500ms, timeout: 400ms, rise: 1, fall: 2 }";

function file(servers: readonly number[], more = ""): string {
  const entries = servers.map((index) => `      - { address: ${server(index)}, port: 8080, weight: 10 }`);
  return `
virtual_server:
  web:
    address: ${vip}
    port: 80
    lvs_sched: wlc
    lvs_method: nat
    ${check}
${more}    real_server:
${entries.join("\n")}
`;
}

function table(...weights: readonly (number | undefined)[]): string[] {
  const servers = weights.flatMap((weight, i) =>
    weight === undefined ? [] : [`-a -t ${vip}:80 -r ${server(i + 1)}:8080 -m -w ${weight}`],
  );
  return [`-A -t ${vip}:80 -s wlc`, ...servers];
}

/** A process starts in it. */
const slow = 60_000;

async function ask(viprd: Viprd, path: string, body: unknown): Promise<unknown> {
  const answer = await viprd.call("POST", path, body);
  if (answer?.status !== 200) throw new Error(`${path}: ${answer?.status} ${JSON.stringify(answer?.body)}`);
  return answer.body;
}

async function document(viprd: Viprd): Promise<StatusDocument> {
  return (await viprd.call("GET", "/v1/status"))?.body as StatusDocument;
}

async function firstServer(viprd: Viprd): Promise<RealServerStatus | undefined> {
  return (await document(viprd))?.virtual_servers?.[0]?.servers[0];
}

// One daemon for all of it: starting one takes longer here than anything that is done with it.
farm(
  "what an operator does to servers is done, told, and in force over the death of every process",
  { servers: 3, timeout: 150_000 },
  async (f) => {
    for (const index of [1, 2, 3]) await f.rs(index).listen("tcp", 8080);
    const first = f.viprd(file([1, 2]));
    await settles(() => f.saved(), table(10, 10), slow);
    const one = `${server(1)}:8080`;

    // Drained with a connection that is at work: that goes on, and nothing new comes.
    await ask(first, "/v1/weight", { server: server(2), weight: 0, for_s: 600 });
    await settles(() => f.saved(), table(10, 0));
    const flow = await f.client.flow(vip, 80);
    expect(flow.server).toBe("rs1");
    await ask(first, "/v1/weight", { server: server(2), weight: null });
    await settles(() => f.saved(), table(10, 10));
    await ask(first, "/v1/drain", { server: one, reason: "new kernel" });
    await settles(() => f.saved(), table(0, 10), slow);
    expect(await f.client.many(6, vip, 80)).toEqual({ rs2: 6 });
    const refused = await first.call("POST", "/v1/drain", { server: server(2) });
    expect(refused).toMatchObject({ status: 409, body: { error: expect.stringContaining(`${one} is drained`) } });

    // The checks process dies: the table stays as it is, and the next one goes on with it.
    const { pid } = (await document(first)).processes.checks;
    if (pid === null) throw new Error("no checks process");
    process.kill(pid, "SIGKILL");
    expect(await f.saved()).toEqual(table(0, 10));
    await eventually("another one", async () => (await firstServer(first))?.state === "draining", slow, 200);
    expect(await f.saved()).toEqual(table(0, 10));
    expect((await document(first)).processes.checks.pid).not.toBe(pid);
    expect((await flow.state()).ended).toBe("");

    // Whoever waits is told when the connection has ended; after a reset the kernel remembers it for ten seconds.
    await f.rs(1).close("tcp", 8080);
    await f.rs(1).listen("tcp", 8080);
    expect(await first.cli("drain", one, "--wait", "--reason", "new kernel")).toMatch(
      /no (active )?connection is left after /,
    );

    // The whole daemon ends and starts again.
    await first.term();
    expect(await f.saved()).toEqual(table(0, 10));
    const second = f.viprd(file([1, 2]));
    await eventually("its first look", async () => (await firstServer(second))?.kernel_weight === 0, slow, 200);
    expect(await f.saved()).toEqual(table(0, 10));
    expect(await firstServer(second)).toMatchObject({
      state: "draining",
      desired_weight: 0,
      admin: [{ what: "drain", by: expect.stringMatching(/^root \(uid 0\)/), reason: "new kernel", until: null }],
    });
    await ask(second, "/v1/undrain", { server: one });
    await settles(() => f.saved(), table(10, 10));
    await ask(second, "/v1/maintenance", { on: true, server: server(2), for_s: 2 });
    await settles(() => f.saved(), table(10, 0));
    await settles(() => f.saved(), table(10, 10));

    // A reload: the server that leaves keeps its connection, the one that comes is checked first.
    const kept = await f.client.flow(vip, 80);
    const leaving = kept.server === "rs1" ? 1 : 2;
    second.reload(file([3 - leaving, 3], "    on_stop: remove\n"));
    await settles(() => f.saved(), leaving === 1 ? table(0, 10, 10) : table(10, 0, 10), slow);
    expect((await kept.state()).ended).toBe("");
    await kept.end();
    await second.term();
    expect(await f.saved()).toEqual([]);
  },
);
