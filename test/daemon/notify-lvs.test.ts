import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import type { VirtualServerNotify } from "../../src/config/lvs-notify.ts";
import type { CommandParameters } from "../../src/config/notify.ts";
import { Notify } from "../../src/daemon/notify.ts";
import { type LvsNews, LvsSubjects, lvsFifoLine } from "../../src/daemon/notify-lvs-news.ts";
import type { VirtualServerParameters } from "../../src/lvs/parameters.ts";
import type { LvsEvent, ServerState } from "../../src/lvs/status.ts";
import { lvsParameters, realServer, virtualServer } from "./lvs-support.ts";
import { loaded, MemoryLog, temporaryDirectory, until } from "./support.ts";

const at = "2026-01-01T00:00:00.000Z";

function server(from: ServerState, to: ServerState, name = "192.0.2.21:443"): LvsEvent {
  return { at, type: "server", virtual_server: "https", server: name, from, to, reason: "connect: refused" };
}

function quorum(up: boolean): LvsEvent {
  return { at, type: "quorum", virtual_server: "https", up, reason: "weight 1 of 2" };
}

test("what is told of a server is that it is up or down, each once in a row; an operator's doings are not told", () => {
  const subjects = new LvsSubjects();
  const told = (...events: readonly LvsEvent[]) => events.map((event) => subjects.take(event)?.state);
  expect(told(server("unknown", "up"), server("up", "draining"), server("draining", "up"))).toEqual([
    "up",
    undefined,
    undefined,
  ]);
  expect(told(server("up", "down"), server("down", "maintenance"), server("maintenance", "down"))).toEqual([
    "down",
    undefined,
    undefined,
  ]);
  expect(told(server("down", "up", "192.0.2.22:443"), server("down", "up"), quorum(true), quorum(true))).toEqual([
    "up",
    "up",
    "up",
    undefined,
  ]);
});

test("one that left the configuration is told anew when it is back", () => {
  const subjects = new LvsSubjects();
  subjects.take(server("unknown", "up"));
  subjects.take(quorum(true));
  subjects.keep([virtualServer("https", ["192.0.2.22:443"])]);
  expect([subjects.take(server("unknown", "up"))?.state, subjects.take(quorum(true))]).toEqual(["up", undefined]);
});

const mark: Partial<VirtualServerParameters> = { services: [{ kind: "mark", family: 4, mark: 7 }] };
const two: Partial<VirtualServerParameters> = {
  services: ["192.0.2.10", "192.0.2.11"].map((address) => {
    return { kind: "address", family: 4, protocol: "udp", address, port: 53 };
  }),
};

test.each<[string, Partial<VirtualServerParameters>, string, string]>([
  ["one address", {}, "VS [192.0.2.10]:tcp:443 DOWN", "RS [192.0.2.21]:tcp:443 [192.0.2.10]:tcp:443 DOWN"],
  ["a mark", mark, "VS FWM 7 DOWN", "RS [192.0.2.21]:tcp:443 FWM 7 DOWN"],
  ["several addresses", two, "VS [https]:53 DOWN", "RS [192.0.2.21]:udp:443 [https]:53 DOWN"],
])("with %s a FIFO gets keepalived's lines", (_, changes, service, line) => {
  const parameters = virtualServer("https", [realServer("192.0.2.21:443")], changes);
  const news: LvsNews = {
    kind: "virtual_server",
    name: "https",
    virtualServer: "https",
    state: "down",
    from: "up",
    to: "down",
    reason: "",
    time: at,
  };
  expect(lvsFifoLine(news, parameters)).toBe(`${service}\n`);
  expect(lvsFifoLine({ ...news, kind: "real_server", server: "192.0.2.21:443" }, parameters)).toBe(`${line}\n`);
});

function rig() {
  const directory = temporaryDirectory();
  const [output, fifo] = [join(directory, "output"), join(directory, "fifo")];
  const script = join(directory, "script.sh");
  writeFileSync(script, `#!/bin/sh\nread -r json\necho "$1|$VIPRD_KIND|$VIPRD_NAME|$VIPRD_STATE|$json" >> ${output}\n`);
  chmodSync(script, 0o755);
  const place = { file: "viprd.yaml", line: 1, column: 1, path: "virtual_server.https" };
  const command = (word: string): CommandParameters => ({ argv: [script, word], timeout: 10_000, place }) as never;
  const told: VirtualServerNotify = {
    virtualServer: "https",
    quorumUp: command("quorum-up"),
    quorumDown: command("quorum-down"),
    servers: [{ name: "192.0.2.21:443", up: command("up"), down: command("down") }],
    webhooks: [],
  };
  const result = loaded();
  if (!result.ok) throw new Error("no configuration");
  const config: Config = {
    ...result.config,
    global: { ...result.config.global, scriptSecurity: false, scriptUser: String(process.getuid?.() ?? 0) },
    lvs: lvsParameters(virtualServer("https", ["192.0.2.21:443", "192.0.2.22:443"])),
    lvsNotify: [told],
    notify: { subjects: [], fifos: [{ path: fifo, of: "lvs" }] },
  };
  const log = new MemoryLog();
  const notify = new Notify({ log, version: "0.0.0" });
  notify.configure(config);
  onTestFinished(() => notify.stop("the test is over", 1000));
  const lines = () => (existsSync(output) ? readFileSync(output, "utf8").split("\n").slice(0, -1) : []);
  return { notify, config, lines, log, fifo };
}

test("scripts of servers and of the quorum are run with what is configured, environment and JSON, and stand in the status", async () => {
  const { notify, lines, log } = rig();
  notify.lvs(server("unknown", "up"));
  await until(() => lines().length === 1, "the first script");
  notify.lvs(server("up", "down"));
  notify.lvs(server("up", "down", "192.0.2.22:443"));
  notify.lvs(quorum(false));
  await until(() => lines().length === 3, "three scripts");
  expect(lines()[0]).toMatch(/^up\|real_server\|192\.0\.2\.21:443\|up\|\{"version":1,/);
  expect(lines().map((line) => line.split("|").slice(0, 4).join(" "))).toEqual(
    expect.arrayContaining(["down real_server 192.0.2.21:443 down", "quorum-down virtual_server https down"]),
  );
  const json = JSON.parse(lines()[0]?.split("|")[4] ?? "");
  expect(json).toEqual({
    version: 1,
    router_id: "lb1",
    kind: "real_server",
    name: "192.0.2.21:443",
    state: "up",
    from: "unknown",
    to: "up",
    reason: "connect: refused",
    time: at,
    virtual_server: "https",
    services: ["tcp 192.0.2.10:443"],
  });
  await until(() => notify.status().subjects.every(({ running }) => running === null), "their ends");
  expect(
    notify.status().subjects.map(({ kind, name, told, runs, failures }) => [kind, name, told, runs, failures]),
  ).toEqual([
    ["real_server", "192.0.2.21:443 of https", "down", 2, 0],
    ["virtual_server", "https", "down", 1, 0],
  ]);
  expect(log.lines.filter((line) => line.startsWith("error"))).toEqual([]);
});

test("a FIFO for the load balancer gets its lines and none of instances", async () => {
  const { notify, fifo } = rig();
  notify.lvs(server("unknown", "up", "192.0.2.22:443"));
  notify.event({ at, instance: "web", type: "transition", from: "initialize", to: "backup", reason: "", priority: 1 });
  notify.lvs(quorum(true));
  expect(execFileSync("timeout", ["5", "head", "-n", "2", fifo], { encoding: "utf8" })).toBe(
    "RS [192.0.2.22]:tcp:443 [192.0.2.10]:tcp:443 UP\nVS [192.0.2.10]:tcp:443 UP\n",
  );
});

test("a script that may not be run is told once at configuration, however many servers share it", () => {
  const { config } = rig();
  const [told] = config.lvsNotify ?? [];
  if (told === undefined) throw new Error("nobody is told");
  const missing = {
    ...told.servers[0]?.up,
    argv: ["/nonexistent/x"],
    user: "nobody-of-that-name",
  } as CommandParameters;
  const servers = ["192.0.2.21:443", "192.0.2.22:443"].map((name) => ({ name, up: missing }));
  const notify = new Notify({ log: new MemoryLog(), version: "0.0.0" });
  const warnings = notify.configure({ ...config, lvsNotify: [{ virtualServer: "https", servers, webhooks: [] }] });
  expect(warnings.filter((line) => line.includes("it will not be run"))).toHaveLength(1);
});
