/** Inside the machine: starts the processes that vitest asks for, and passes messages through the serial port. */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { encodeFrame, frameReader, type Order, type Report } from "./frames.ts";

/** What the data paths of the tests need and what nothing asks for by itself. */
const modules = [
  "ip_vs",
  "ip_tunnel",
  "ipip",
  "ip6_tunnel",
  "ip_gre",
  "fou",
  "veth",
  "dummy",
  "macvlan",
  "nf_conntrack",
];

// It can be opened once only.
const port = openSync(portNamed("viprd"), "r+");
const output = createWriteStream("", { fd: port });
const workers = new Map<number, ChildProcess>();

function portNamed(name: string): string {
  const folder = "/sys/class/virtio-ports";
  const found = readdirSync(folder).find((entry) => readFileSync(`${folder}/${entry}/name`, "utf8").trim() === name);
  if (found === undefined) throw new Error(`the machine has no serial port ${name}`);
  return `/dev/${found}`;
}

function report(value: Report): void {
  output.write(encodeFrame(value));
}

function obey(order: Order): void {
  switch (order.kind) {
    case "start":
      start(order);
      return;
    case "message":
      workers.get(order.id)?.send(order.data as object, (error) => {
        // It has ended, and says so itself.
        if (error !== null) console.error(`agent: message to ${order.id}: ${error.message}`);
      });
      return;
    case "kill":
      killGroup(workers.get(order.id)?.pid);
      return;
  }
}

function start({ id, file, execArgv, env, cwd }: Order & { kind: "start" }): void {
  const worker = fork(file, [], {
    cwd,
    env,
    execArgv: [...execArgv],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    serialization: "advanced",
    // A process group of its own, which ends as a whole.
    detached: true,
  });
  workers.set(id, worker);
  worker.on("message", (data) => report({ kind: "message", id, data }));
  worker.on("error", (error) => console.error(`agent: ${file}: ${error.message}`));
  for (const stream of ["stdout", "stderr"] as const) {
    worker[stream]?.setEncoding("utf8").on("data", (text: string) => report({ kind: "output", id, stream, text }));
  }
  worker.on("exit", (code, signal) => {
    killGroup(worker.pid);
    workers.delete(id);
    report({ kind: "exit", id, code, signal });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody left in it.
  }
}

execFileSync("ip", ["link", "set", "lo", "up"]);
// A namespace is made quickly when it does not begin with a device for each kind of tunnel.
writeFileSync("/proc/sys/net/core/fb_tunnels_only_for_init_net", "1");
execFileSync("modprobe", ["-a", ...modules]);
if (!existsSync("/proc/net/ip_vs")) throw new Error("this kernel has no IPVS");
createReadStream("", { fd: port }).on("data", frameReader(obey) as (chunk: Buffer | string) => void);
report({ kind: "ready" });
