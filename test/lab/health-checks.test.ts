// Checks in their own process: what they see is in the status and decides over tracked roles; their end changes nothing.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect } from "vitest";
import type { CheckReport, StatusDocument } from "../../src/daemon/status.ts";
import { type Lab, scenario } from "../support/lab.ts";
import { expectTakeover, skewTime } from "../support/lab-checks.ts";
import { Child, eventually } from "../support/lab-process.ts";
import { viprdConfig } from "../support/lab-routers.ts";
import { T1, T2 } from "../support/lab-topologies.ts";
import type { Viprd } from "../support/lab-viprd.ts";

async function statusOf(router: Viprd): Promise<StatusDocument> {
  return eventually(
    `${router.node}: status`,
    async () => {
      const answer = await router.call("GET", "/v1/status");
      return answer?.status === 200 && (answer.body as StatusDocument);
    },
    10_000,
  );
}

function untilCheck(router: Viprd, name: string, state: string): Promise<CheckReport> {
  return eventually(
    `${router.node}: check ${name} is ${state}`,
    async () => (await statusOf(router)).checks.find((check) => check.name === name && check.state === state),
    10_000,
  );
}

/** A server inside a node's namespace. */
function serve(lab: Lab, node: string, port: number): Child {
  const code = `require("node:net").createServer((s) => s.on("error", () => {})).listen(${port}, "127.0.0.1", () => console.log("up"))`;
  const [command, args] = lab.namespaces.enter(node, process.execPath, "-e", code);
  return new Child(`server on ${node}`, command, args);
}

scenario(
  "a service that dies on the active router moves its role, and back when it lives",
  { topology: T2 },
  async (lab) => {
    const server = serve(lab, "r1", 8080);
    await server.waitLine((line) => line === "up", 10_000);
    const check = { type: "tcp", host: "127.0.0.1", port: 8080, interval: "200ms", timeout: "150ms", fall: 2, rise: 2 };
    const r1 = await lab.viprd(
      "r1",
      viprdConfig(
        { web: { priority: 200, viprd: { track: [{ check: "server" }] } } },
        { health_check: { server: check } },
      ),
    );
    await untilCheck(r1, "server", "up");
    const r2 = await lab.viprd("r2", viprdConfig({ web: { priority: 100 } }));
    await r1.waitState("web", "active", 15_000);
    await r2.entered("web", "backup", 15_000);

    await server.stop();
    lab.interrupted("r1");
    const down = await untilCheck(r1, "server", "down");
    expect(down.reason).toBe("connect 127.0.0.1:8080: refused (ECONNREFUSED) (2 times in a row)");
    expect(down.used_by).toEqual(["web"]);
    const farewell = await lab.capture.waitForAdvert({ node: "r1", priority: 0 }, 5_000);
    const first = await lab.capture.waitForAdvert({ node: "r2", holding: true, from: farewell.at }, 5_000);
    expectTakeover(farewell, first, skewTime(3, 100, 1000));
    expect((await r1.instance()).reasons.join("\n")).toContain("server");
    expect(await r1.cli("status")).toMatch(/server +down .* tcp .* web .*connect 127\.0\.0\.1:8080: refused/);

    const again = serve(lab, "r1", 8080);
    await again.waitLine((line) => line === "up", 10_000);
    await untilCheck(r1, "server", "up");
    await r1.entered("web", "active", 15_000, Date.now() - 1_000);
    await again.stop();
  },
);

scenario(
  "checks that die or hang leave the role and the other checks alone, and nothing behind",
  { topology: T1 },
  async (lab) => {
    await lab.namespaces.shell("r1", "ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up");
    const mark = `7${process.pid}`;
    const hangs = ["/bin/sh", "-c", `trap '' TERM; sleep ${mark}; sleep ${mark}`];
    // Only the kernel's own word can be faster than a minute.
    const link = { type: "interface", interface: "d0", interval: "60s" };
    const config = (checks: object) =>
      viprdConfig(
        { web: { priority: 200, viprd: { track: [{ check: "link", priority: -50 }] } } },
        { global: { script_user: "root" }, health_check: { link, ...checks } },
      );
    const router = await lab.viprd("r1", config({}));
    await router.waitState("web", "active", 15_000);
    await untilCheck(router, "link", "up");
    const { pid } = (await statusOf(router)).processes.checks;
    if (pid === null) throw new Error("no checks process");
    process.kill(pid, "SIGKILL");
    await eventually(
      "another checks process",
      async () => {
        const { checks } = (await statusOf(router)).processes;
        return checks.restarts === 1 && checks.state === "running";
      },
      10_000,
    );
    expect((await router.instance()).priority.effective).toBe(200);
    await lab.namespaces.shell("r1", "ip link del d0");
    const down = await untilCheck(router, "link", "down");
    // The kernel sets it down before it takes it away.
    expect(down.reason).toMatch(/^(there is no interface d0|d0 is set down)$/);
    await eventually("the lower priority", async () => (await router.instance()).priority.effective === 150, 3_000);
    expect((await router.transitions()).filter(({ to }) => to === "active").length).toBe(1);

    router.reload(config({ hangs: { type: "script", script: hangs, interval: "60s", timeout: "50s" } }));
    const running = () => lab.namespaces.shell("r1", `pgrep -fx 'sleep ${mark}' || true`);
    await eventually("the script", async () => (await running()) !== "", 10_000);
    expect((await statusOf(router)).checks.map(({ name, state }) => [name, state])).toEqual([
      ["link", "down"],
      ["hangs", "unknown"],
    ]);
    await lab.term(router);
    expect(await running()).toBe("");
  },
);

/** It is loaded when somebody asks for it. */
const kernelBalances = existsSync("/proc/net/ip_vs") || spawnSync("modprobe", ["-n", "ip_vs"]).status === 0;

if (!kernelBalances) {
  scenario(
    "a kernel without IPVS is told once, with what is missing, and takes nothing from the role",
    { topology: T1 },
    async (lab) => {
      const balancing = { virtual_server: { http: { address: "192.0.2.100", port: 80, real_server: ["192.0.2.21"] } } };
      const router = await lab.viprd("r1", viprdConfig({ web: { priority: 100 } }, balancing));
      await router.waitState("web", "active", 15_000);
      const told = () => router.log.filter(({ message }) => message.startsWith("nothing is balanced:"));
      await eventually("the message", async () => told().length > 0, 10_000);
      // It is tried again after a second, and then after two.
      await eventually("attempts", async () => Date.now() - (told()[0]?.at ?? 0) > 3_500, 10_000);
      expect(told().map(({ message }) => message)).toEqual([expect.stringMatching(/IPVS.*; it is tried again$/)]);
      const { lvs, virtual_servers: virtualServers, processes } = await statusOf(router);
      expect(lvs?.trouble).toMatch(/IPVS/);
      expect(virtualServers).toMatchObject([{ name: "http", state: "unknown", servers: [{ name: "192.0.2.21:80" }] }]);
      expect(processes.checks).toMatchObject({ state: "running", restarts: 0 });
      expect((await router.instance("web")).transitions.length).toBeLessThanOrEqual(2);
    },
  );
}
