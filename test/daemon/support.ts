/** A supervisor with a stand-in for the VRRP process, on a runtime directory of its own. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { LoadResult } from "../../src/daemon/configuration.ts";
import type { Log } from "../../src/daemon/log.ts";
import type { ToVrrp } from "../../src/daemon/messages.ts";
import { Supervisor, type SupervisorOptions } from "../../src/daemon/supervisor.ts";
import type { InstanceParameters } from "../../src/vrrp/parameters.ts";

export function parameters(name: string, changes: Partial<InstanceParameters> = {}): InstanceParameters {
  return {
    name,
    interface: "eth0",
    vrid: 51,
    version: 3,
    families: [4],
    priority: 100,
    advertisementInterval: 1000,
    preempt: true,
    preemptDelay: 0,
    virtualAddresses: [
      { address: "192.0.2.10", prefixLength: 24, device: "eth0", scope: 0, noprefixroute: false, nodad: false },
    ],
    excludedAddresses: [],
    accept: true,
    unicastPeers: [],
    unicastTtl: 255,
    checksumSend: "auto",
    checksumReceive: "either",
    firstLinkLocal: "strict",
    ownerConflict: "process",
    checkAddressList: true,
    announce: {
      repeat: 5,
      delay: 5000,
      delayRepeat: 5,
      refresh: 0,
      refreshRepeat: 1,
      interval: 0,
      lowerPriorityRepeat: 5,
    },
    lease: 5000,
    track: [],
    yieldOnLowerPriority: false,
    ...changes,
  };
}

export function loaded(...names: readonly (string | InstanceParameters)[]): LoadResult {
  const instances = names.map((name) => (typeof name === "string" ? parameters(name) : name));
  return {
    ok: true,
    config: {
      global: { scriptSecurity: true, routerId: "lb1", process: { nice: 0, lockMemory: false } },
      instances,
      checks: [],
    },
    warnings: [],
  };
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "viprd-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export class MemoryLog implements Log {
  readonly lines: string[] = [];
  #write(level: string, message: string, instance: string | undefined): void {
    this.lines.push(`${level} ${instance === undefined ? "" : `${instance}: `}${message}`);
  }
  debug: Log["debug"] = (message, fields) => this.#write("debug", message, fields?.instance);
  info: Log["info"] = (message, fields) => this.#write("info", message, fields?.instance);
  warn: Log["warn"] = (message, fields) => this.#write("warn", message, fields?.instance);
  error: Log["error"] = (message, fields) => this.#write("error", message, fields?.instance);
  flush = () => Promise.resolve(true);
}

export interface Rig {
  readonly supervisor: Supervisor;
  readonly log: MemoryLog;
  readonly directory: string;
  readonly socket: string;
  /** Messages the children got so far, in order. */
  received(): ToVrrp[];
}

/** `load` may be changed by the test between reloads. */
export function rig(load: SupervisorOptions["load"], changes: Partial<SupervisorOptions> = {}): Rig {
  const directory = temporaryDirectory();
  const record = join(directory, "received");
  process.env.FAKE_VRRP_LOG = record;
  const log = new MemoryLog();
  const supervisor = new Supervisor({
    version: "0.0.0",
    configFile: "test.yaml",
    runtimeDirectory: join(directory, "run"),
    load,
    log,
    vrrpProgram: { file: fileURLToPath(new URL("fake-vrrp.mjs", import.meta.url)), arguments: [] },
    checksProgram: { file: fileURLToPath(new URL("fake-checks.mjs", import.meta.url)), arguments: [] },
    environment: {},
    onHopeless: (why) => log.lines.push(`hopeless: ${why}`),
    stopLimit: 3000,
    ...changes,
  });
  onTestFinished(() => supervisor.stop("the test is over").then(() => undefined));
  return {
    supervisor,
    log,
    directory,
    socket: join(directory, "run", "control.sock"),
    received: () =>
      existsSync(record)
        ? readFileSync(record, "utf8")
            .split("\n")
            .slice(0, -1)
            .map((line) => JSON.parse(line) as ToVrrp)
        : [],
  };
}

/** Waits for a condition, not for a time. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, limit = 5000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${limit} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function get(socketPath: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asking.on("error", reject);
    asking.end();
  });
}
