import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { checkCommand } from "../../src/cli/check.ts";
import { instanceWith, loadTexts } from "../config/support.ts";

let folder = "";
let file = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "viprd-check-"));
  file = join(folder, "viprd.yaml");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
  process.exitCode = undefined;
});

/** As `viprd ...words`, with the global options that matter here. */
async function viprd(...words: readonly string[]): Promise<{ readonly output: string; readonly exitCode: unknown }> {
  const written = vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  try {
    const program = new Command("viprd").option("-c, --config <file>", "", "/nonexistent/viprd.yaml");
    await program.addCommand(checkCommand()).parseAsync(words, { from: "user" });
    return { output: written.mock.calls.map(([text]) => String(text)).join(""), exitCode: process.exitCode };
  } finally {
    written.mockRestore();
  }
}

test("a good file is ok, with the worst-case failover time of each instance", async () => {
  writeFileSync(file, instanceWith("priority: 150"));
  expect(await viprd("check", file)).toEqual({
    output:
      "ok\nweb (eth0, VRID 51, VRRPv3, priority 150): takes over at most 3.414 s after the active router crashes " +
      "or its link is cut, 414.1 ms after it stops in order\n",
    exitCode: 0,
  });
});

test("an owner is active whenever it runs", async () => {
  writeFileSync(file, instanceWith("priority: 255", "advert_int: 10ms"));
  const { output, exitCode } = await viprd("check", file);
  expect(exitCode).toBe(0);
  expect(output).toBe(
    `${file}:7:17: vrrp_instance.web.advert_int: warning: 10ms leaves a busy host 30ms before a takeover: set global.vrrp_rt_priority\n` +
      "ok\nweb (eth0, VRID 51, VRRPv3, priority 255): takes over at most 30.0 ms after the active router crashes " +
      "or its link is cut, 0.04 ms after it stops in order; as the address owner it is active whenever it runs\n",
  );
});

test("every problem is printed and the exit code is 2", async () => {
  writeFileSync(file, instanceWith("priority: 300", "advert_int: 1"));
  expect(await viprd("check", file)).toEqual({
    output:
      `${file}:6:15: vrrp_instance.web.priority: expected a whole number from 1 to 255, got 300\n` +
      `${file}:7:17: vrrp_instance.web.advert_int: a duration needs a unit (ms, s, m or h), got 1: write 1s\n`,
    exitCode: 2,
  });
});

test("the file comes from --config, before or after the command, and the argument goes before it", async () => {
  writeFileSync(file, instanceWith());
  expect((await viprd("-c", file, "check")).exitCode).toBe(0);
  expect((await viprd("check", "--config", file)).exitCode).toBe(0);
  expect((await viprd("-c", "/nonexistent/other.yaml", "check", file)).exitCode).toBe(0);
});

test("a missing file and a directory are told, with exit code 2", async () => {
  expect(await viprd("check")).toEqual({
    output: "/nonexistent/viprd.yaml: cannot be read: no such file or directory (ENOENT)\n",
    exitCode: 2,
  });
  expect(await viprd("check", folder)).toEqual({
    output: `${folder}: cannot be read: it is a directory (EISDIR): name a file\n`,
    exitCode: 2,
  });
});

test("--resolved prints a file that means the same, with the password masked", async () => {
  const text = instanceWith(
    "version: 2",
    "authentication: { auth_type: PASS, auth_pass: hunter2 }",
    "check_adv_addr: true",
  );
  writeFileSync(file, text);
  const { output, exitCode } = await viprd("check", "--resolved", file);
  expect(exitCode).toBe(0);
  expect(output).not.toContain("hunter2");
  expect(output).toContain('auth_pass: "********"');
  const original = loadTexts({ "viprd.yaml": text }, { hostName: "x" }).config?.instances;
  const again = loadTexts({ "viprd.yaml": output.replace("********", "hunter2") }).config?.instances;
  expect(again).toEqual(original);
});

test("--resolved prints dollar signs that stay dollar signs", async () => {
  const written = ["a$", "$x", "$${HOME}", "a$$$${", "$$$$$$$$"].map((each) => JSON.stringify(each)).join(", ");
  const text = `${instanceWith("track: [{ check: c }]")}\nhealth_check: { c: { type: script, script: [/bin/true, ${written}] } }\n`;
  writeFileSync(file, text);
  const { output } = await viprd("check", "--resolved", file);
  const [original, again] = [text, output].map((each) => loadTexts({ "viprd.yaml": each }, { hostName: "x" }));
  expect(again?.problems).toEqual([]);
  expect(original?.config?.checks).toMatchObject([
    { argv: ["/bin/true", "a$", "$x", ["$", "{HOME}"].join(""), ["a$$", "{"].join(""), "$$$$"] },
  ]);
  expect(again?.config?.checks).toEqual(original?.config?.checks);
});

test("--resolved keeps warnings as comments", async () => {
  writeFileSync(file, instanceWith("unicast_ttl: 64"));
  const { output } = await viprd("check", "--resolved", file);
  expect(output.split("\n")[0]).toBe(
    `# ${file}:6:18: vrrp_instance.web.unicast_ttl: warning: has no effect without unicast_peer: multicast is always sent with 255`,
  );
  expect(loadTexts({ "viprd.yaml": output }).problems).toEqual([]);
});

test("--json has a versioned shape", async () => {
  writeFileSync(file, instanceWith("version: 2", "authentication: { auth_pass: hunter2 }"));
  const good = await viprd("check", "--json", file);
  expect(good.output).not.toContain("hunter2");
  expect(JSON.parse(good.output)).toMatchObject({
    version: 1,
    ok: true,
    problems: [],
    files: [file],
    failover: [{ instance: "web", crash_ms: 3609.375, link_cut_ms: 3609.375, stop_ms: 609.375 }],
    config: { vrrp_instance: { web: { virtual_router_id: 51, authentication: { auth_pass: "********" } } } },
  });
  writeFileSync(file, instanceWith("priority: 0"));
  const bad = await viprd("check", "--json", file);
  expect(bad.exitCode).toBe(2);
  expect(JSON.parse(bad.output)).toEqual({
    version: 1,
    ok: false,
    problems: [
      {
        file,
        line: 6,
        column: 15,
        path: "vrrp_instance.web.priority",
        severity: "error",
        message: "expected a whole number from 1 to 255, got 0",
      },
    ],
    files: [file],
    failover: [],
    virtual_servers: [],
    config: null,
  });
});

const balancer = `
virtual_server_group:
  web: [192.0.2.10-11 80]
virtual_server:
  https:
    address: 192.0.2.10
    port: 443
    lvs_method: dr
    check: { type: tcp, interval: 2s, timeout: 1s, fall: 3 }
    real_server: [192.0.2.21, { address: 192.0.2.22, check: [{ type: ping }, { type: tcp, interval: 10s }] }]
  http: { group: web, lvs_sched: mh, check: [], real_server: [192.0.2.21] }
  gone: { fwmark: 7, real_server: [], sorry_server: 192.0.2.30 }
`;

test("a file with virtual servers alone is whole; a line for each tells how long a dead server gets clients", async () => {
  writeFileSync(file, balancer);
  const { output, exitCode } = await viprd("check", file);
  expect(exitCode).toBe(0);
  expect(output.split("\n").slice(1)).toEqual([
    "ok",
    // 2 s until the next run, two more of them, and the timeout of the last one.
    "https (tcp 192.0.2.10:443, wlc, dr): 2 servers; one that fails gets no new clients after 7s at most",
    "http (tcp 192.0.2.10:80 and 1 more, mh, nat): 1 server; one that fails goes on getting clients: not all are asked whether they work",
    "gone (fwmark 7 inet, wlc): 0 servers; everything goes to the sorry server",
    "",
  ]);
  const { virtual_servers } = JSON.parse((await viprd("check", "--json", file)).output);
  expect(virtual_servers).toEqual([
    { name: "https", services: ["tcp 192.0.2.10:443"], servers: 2, detection_ms: 7000 },
    { name: "http", services: ["tcp 192.0.2.10:80", "tcp 192.0.2.11:80"], servers: 1, detection_ms: null },
    { name: "gone", services: ["fwmark 7 inet"], servers: 0, detection_ms: null },
  ]);
});
