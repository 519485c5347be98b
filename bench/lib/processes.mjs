// Processes of a daemon: started in a namespace, ended all at once, measured through /proc.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { now } from "./clock.mjs";

const living = new Set();
/** Errors that daemons told of: a figure would not be worth much beside them. */
export const complaints = [];
process.on("exit", () => {
  for (const daemon of living) daemon.kill();
});

export class Daemon {
  /** Last lines of standard error, for messages about failures. */
  log = [];

  constructor(lan, router, command, args) {
    this.startedAt = now();
    // nsenter replaces itself by the command: the pid is the daemon's.
    this.process = spawn("nsenter", [`--net=${lan.path(router)}`, "--", command, ...args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.pid = this.process.pid;
    this.ended = false;
    living.add(this);
    this.process.stderr.setEncoding("utf8").on("data", (text) => {
      this.log.push(text);
      for (const line of text.split("\n")) if (line.includes('"level":"error"')) complaints.push(line);
      if (this.log.length > 50) this.log.shift();
    });
    this.exited = new Promise((resolve) => {
      this.process.on("exit", () => {
        this.ended = true;
        living.delete(this);
        resolve(now());
      });
    });
  }

  tree() {
    return this.ended ? [] : [this.pid, ...descendants(this.pid)];
  }

  /** SIGKILL for all. Frozen first, so that no process sees another one die. Returns when the last signal was sent. */
  kill() {
    for (const pid of this.tree()) signal(pid, "SIGSTOP");
    for (const pid of this.tree().reverse()) signal(pid, "SIGKILL");
    return now();
  }

  signal(name) {
    const at = now();
    if (!this.ended) signal(this.pid, name);
    return at;
  }

  /** SIGTERM, and SIGKILL for what does not obey. */
  async stop(limit = 10_000) {
    const at = this.signal("SIGTERM");
    const timer = setTimeout(() => this.kill(), limit);
    await this.exited;
    clearTimeout(timer);
    return at;
  }
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}

function descendants(pid) {
  // proc(5): the list may miss a child while others come and go.
  let children = [];
  for (let attempt = 0; attempt < 3 && children.length === 0; attempt++) {
    children = read(`/proc/${pid}/task/${pid}/children`).trim().split(" ").filter(Boolean).map(Number);
  }
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Processor time of these processes with all their threads, in milliseconds, to the nanosecond of the scheduler. */
export function processorTime(pids) {
  let total = 0;
  for (const pid of pids) {
    let threads = [];
    try {
      threads = readdirSync(`/proc/${pid}/task`);
    } catch {
      continue;
    }
    for (const thread of threads) {
      total += Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(" ")[0] || 0);
    }
  }
  return total / 1e6;
}

/** In MiB. */
export function memory(pid) {
  const kilobytes = (file, key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(read(file))?.[1] ?? 0);
  return {
    rss: kilobytes(`/proc/${pid}/status`, "VmRSS") / 1024,
    pss: kilobytes(`/proc/${pid}/smaps_rollup`, "Pss") / 1024,
  };
}

/** Shares of all processors' time since a former reading: taken by the hypervisor, idle. */
export class Machine {
  #before = processors();

  read() {
    const after = processors();
    const delta = after.map((value, i) => value - this.#before[i]);
    const total = delta.reduce((sum, value) => sum + value, 0) || 1;
    return { steal: delta[7] / total, idle: (delta[3] + delta[4]) / total };
  }
}

function processors() {
  return readFileSync("/proc/stat", "utf8").split("\n")[0].split(/\s+/).slice(1, 9).map(Number);
}
