// The two products, told the same: configurations for `count` virtual routers, and how they are started and asked.

import { execFile, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { addressOf, linkOf, vridOf } from "./lan.mjs";
import { Daemon } from "./processes.mjs";

/** Another built checkout can be measured with the harness of this one. */
const repository = process.env.VIPRD_BENCH_PROGRAM ?? fileURLToPath(new URL("../../", import.meta.url));
export const directory = mkdtempSync(`${tmpdir()}/viprd-bench-`);
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

// A copy of the built program is measured, so that a build in the meantime changes nothing.
const program = `${directory}/program`;
mkdirSync(program);
for (const name of ["dist", "build", "prebuilds", "package.json"]) {
  if (existsSync(join(repository, name))) cpSync(join(repository, name), `${program}/${name}`, { recursive: true });
}
symlinkSync(join(repository, "node_modules"), `${program}/node_modules`);

let counter = 0;

/** Half of the checks open connections, a tenth of them start a program. */
const checkMix = [
  ...Array(5).fill("type: tcp, host: 10.50.255.100, port: 7000"),
  ...Array(2).fill("type: file, path: /etc/passwd"),
  "type: process, program: node",
  "type: interface, interface: e0",
  "type: script, script: /bin/true",
];

/**
 * @typedef {{ count?: number, interval: number, priority: number, realtime?: number, changed?: boolean, checks?: number }} Plan
 * `interval` in milliseconds; `changed`: the first virtual router has a second address that is not advertised; `checks`:
 * health checks of 1 s each, of viprd only.
 */
export const viprd = {
  name: "viprd",
  version: () => `${JSON.parse(readFileSync(`${program}/package.json`, "utf8")).version} on Node ${process.version}`,

  config({ count = 1, interval, priority, realtime, changed = false, checks = 0 }) {
    const lines = ["global:", "  router_id: bench"];
    if (realtime !== undefined) lines.push(`  vrrp_rt_priority: ${realtime}`);
    lines.push("vrrp_instance:");
    for (let i = 0; i < count; i++) {
      lines.push(
        `  v${i}:`,
        `    interface: e${linkOf(i)}`,
        `    virtual_router_id: ${vridOf(i)}`,
        `    priority: ${priority}`,
        `    advert_int: ${interval}ms`,
        "    virtual_ipaddress:",
        `      - ${addressOf(i)}/16`,
      );
      if (changed && i === 0) lines.push("    virtual_ipaddress_excluded:", "      - 10.50.200.1/16");
    }
    if (checks > 0) lines.push("health_check:");
    for (let i = 0; i < checks; i++) lines.push(`  c${i}: { ${checkMix[i % checkMix.length]}, interval: 1s }`);
    return `${lines.join("\n")}\n`;
  },

  start(lan, router, plan) {
    const daemon = this.startWith(lan, router, this.config(plan));
    daemon.rewrite = (next) => writeFileSync(daemon.file, this.config(next));
    return daemon;
  },

  startWith(lan, router, text) {
    const base = `${directory}/${counter++}`;
    const file = `${base}.yaml`;
    writeFileSync(file, text);
    const options = ["-c", file, "--runtime-dir", base, "--log-format", "json", "--log-level", "warn"];
    const daemon = new Daemon(lan, router, process.execPath, [`${program}/dist/main.js`, "run", ...options]);
    daemon.file = file;
    // This process reads the daemon's log meanwhile: it must not stand still.
    daemon.status = async () => {
      const ask = [`${program}/dist/main.js`, "status", "--json", "--runtime-dir", base];
      const { stdout } = await promisify(execFile)(process.execPath, ask, { maxBuffer: 1 << 28 });
      return JSON.parse(stdout);
    };
    return daemon;
  },

  /** The process that speaks VRRP. */
  speaker: (daemon) => daemon.tree()[1],
};

export const keepalived = {
  name: "keepalived",
  version: () =>
    / v(\d\S*)/.exec(spawnSync("keepalived", ["--version"], { encoding: "utf8" }).stderr)?.[1] ?? "unknown",

  config({ count = 1, interval, priority, realtime, changed = false }) {
    const lines = ["global_defs {", "  router_id bench", "  vrrp_version 3"];
    if (realtime !== undefined) lines.push(`  vrrp_rt_priority ${realtime}`);
    lines.push("}");
    for (let i = 0; i < count; i++) {
      lines.push(
        `vrrp_instance v${i} {`,
        `  interface e${linkOf(i)}`,
        `  virtual_router_id ${vridOf(i)}`,
        `  priority ${priority}`,
        `  advert_int ${interval / 1000}`,
        `  virtual_ipaddress { ${addressOf(i)}/16 dev e${linkOf(i)} }`,
      );
      if (changed && i === 0) lines.push("  virtual_ipaddress_excluded { 10.50.200.1/16 dev e0 }");
      lines.push("}");
    }
    return `${lines.join("\n")}\n`;
  },

  start(lan, router, plan) {
    const base = `${directory}/${counter++}`;
    const file = `${base}.conf`;
    writeFileSync(file, this.config(plan));
    const pids = ["-p", `${base}.pid`, "-r", `${base}.vrrp.pid`, "-c", `${base}.check.pid`];
    const daemon = new Daemon(lan, router, "keepalived", ["-n", "-l", "-P", "-f", file, ...pids]);
    daemon.rewrite = (next) => writeFileSync(file, this.config(next));
    return daemon;
  },

  speaker: (daemon) => daemon.tree()[1],
};

export const products = [viprd, keepalived];
