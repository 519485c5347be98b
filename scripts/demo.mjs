// Two load balancers, one virtual address and a client, in network namespaces of their own: pulls the cable, measures.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "..");
const program = join(root, "dist/main.js");
const prefix = `viprd-demo-${process.pid}`;
const virtual = "192.0.2.10";
const nodes = [
  { name: "lb1", address: "192.0.2.11", priority: 200 },
  { name: "lb2", address: "192.0.2.12", priority: 100 },
];
const client = { name: "client", address: "192.0.2.100" };
const folder = mkdtempSync(join(tmpdir(), "viprd-demo-"));
const children = new Set();
const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const gaps = [];
let started = performance.now();
let marks = "";
let finished = false;

process.on("SIGINT", () => finish(130));
process.on("SIGTERM", () => finish(143));
process.on("SIGHUP", () => finish(129));
// `npm run demo | head`, or a terminal that was closed: nobody watches any more.
process.stdout.on("error", () => finish(0));
process.stderr.on("error", () => finish(1));
try {
  requirePrivileges();
  removeLeftOvers();
  buildLan();
  started = performance.now();
  await play();
  finish(0);
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : error}\n`);
  finish(1);
}

async function play() {
  title("Two load balancers share one address; a client asks it for an answer every 10 ms.");
  for (const { name, address, priority } of nodes) {
    print(`${name.padEnd(7)} ${address.padEnd(14)} priority ${priority}, VRRP version 3, advertisements each second`);
  }
  print(`${client.name.padEnd(7)} ${client.address}`);
  print(`address ${virtual}\n`);
  const [lb1, lb2] = nodes;
  say("starting both");
  const first = start(lb1);
  // However slow a start is: lb2's time must not be over before lb1's.
  await first.until(/→ backup/, 15_000);
  const second = start(lb2);
  const probe = startProbe();
  await first.until(/→ active/, 15_000);
  await pause(2000);

  title("\nThe active one loses power: every process killed, its cable cut.");
  say("killing lb1");
  kill(first);
  ip(["-n", `${prefix}-sw`, "link", "set", "p-lb1", "down"]);
  await second.until(/→ active/, 15_000);
  await pause(1500);
  outage("lb2 must take over 3.61 s after the last advertisement of lb1: three intervals and a skew");

  title("\nIt comes back, and with the higher priority takes its role again.");
  ip(["-n", `${prefix}-sw`, "link", "set", "p-lb1", "up"]);
  say("starting lb1");
  const again = start(lb1);
  await again.until(/→ active/, 15_000);
  await pause(1500);
  outage("a living router hands over without a gap");

  title("\nIt is stopped for maintenance: it says so, and lb2 need not wait.");
  say("stopping lb1 (SIGTERM)");
  again.process.kill("SIGTERM");
  await second.until(/→ active/, 15_000);
  await pause(1500);
  outage("lb2 must take over 0.61 s after the farewell: the skew alone");

  title("\nWhat lb2 says about it (viprd status):");
  const { stdout } = spawnSync(process.execPath, [program, "--runtime-dir", join(folder, "lb2"), "status"], {
    encoding: "utf8",
  });
  print(stdout);
  probe.kill("SIGTERM");
  await pause(200);
}

function requirePrivileges() {
  if (process.getuid?.() !== 0) {
    throw new Error(
      "needs root for network namespaces of its own (nothing outside them is touched): sudo npm run demo",
    );
  }
  if (!existsSync(program)) throw new Error("dist/main.js is missing: npm ci builds it");
  if (spawnSync("ip", ["-V"]).error !== undefined) {
    throw new Error("the command ip is missing: apt-get install iproute2");
  }
  const trial = spawnSync("ip", ["netns", "add", `${prefix}-sw`], { encoding: "utf8" });
  if (trial.status !== 0) throw new Error(`this machine grants no network namespaces: ${trial.stderr.trim()}`);
}

/** A demo that was killed outright could not clean up: its namespaces carry the number of a process that is gone. */
function removeLeftOvers() {
  const { stdout } = spawnSync("ip", ["netns", "list"], { encoding: "utf8" });
  for (const [, name, pid] of stdout.matchAll(/^(viprd-demo-(\d+)-[a-z0-9]+)/gm)) {
    if (existsSync(`/proc/${pid}`)) continue;
    const members = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" }).stdout;
    for (const member of members.split(/\s+/).filter(Boolean)) spawnSync("kill", ["-KILL", member]);
    spawnSync("ip", ["netns", "delete", name], { stdio: "ignore" });
  }
}

function buildLan() {
  const sw = `${prefix}-sw`;
  ip(["-n", sw, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0", "stp_state", "0"]);
  ip(["-n", sw, "link", "set", "br0", "up"]);
  for (const { name, address } of [...nodes, client]) {
    const space = `${prefix}-${name}`;
    ip(["netns", "add", space]);
    ip(["-n", sw, "link", "add", `p-${name}`, "type", "veth", "peer", "name", "eth0", "netns", space]);
    ip(["-n", sw, "link", "set", `p-${name}`, "master", "br0", "up"]);
    ip(["-n", space, "link", "set", "lo", "up"]);
    ip(["-n", space, "address", "add", `${address}/24`, "dev", "eth0"]);
    ip(["-n", space, "link", "set", "eth0", "up"]);
  }
}

function start({ name, priority }) {
  const file = join(folder, `${name}.yaml`);
  const lines = [
    "vrrp_instance:",
    "  web:",
    "    interface: eth0",
    "    virtual_router_id: 51",
    `    priority: ${priority}`,
    "    advert_int: 1s",
    "    virtual_ipaddress:",
    `      - ${virtual}/24`,
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const args = [program, "--config", file, "--runtime-dir", join(folder, name), "--log-format", "json", "run"];
  const process_ = inNamespace(name, args, "pipe");
  const seen = [];
  const waiting = new Set();
  createInterface({ input: process_.stderr }).on("line", (line) => {
    const text = readable(line);
    if (text.instance === undefined || finished) return;
    say(`${name}  ${text.message}`);
    seen.push(text.message);
    for (const check of waiting) check();
  });
  const until = (pattern, limit) =>
    new Promise((resolve, reject) => {
      const from = seen.length;
      const timer = setTimeout(() => reject(new Error(`${name} did not say ${pattern} within ${limit} ms`)), limit);
      const check = () => {
        if (!seen.slice(from).some((message) => pattern.test(message))) return;
        clearTimeout(timer);
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
    });
  return { process: process_, until };
}

function readable(line) {
  try {
    return JSON.parse(line);
  } catch {
    return { instance: undefined, message: line };
  }
}

function startProbe() {
  const probe = inNamespace(client.name, [join(root, "scripts/demo-probe.mjs"), virtual], "inherit");
  createInterface({ input: probe.stdout }).on("line", (line) => {
    const event = JSON.parse(line);
    if (event.type === "mark") mark(event.share);
    if (event.type === "first") say(`client  ${virtual} answers`);
    if (event.type === "gap") gaps.push(event.to - event.from);
    if (event.type === "total") say(`client  ${event.answered} probes answered, ${event.lost} lost`);
  });
  return probe;
}

/** One character for each 100 ms of the probe stream, one line for each 5 s. */
function mark(share) {
  marks += share === 1 ? "█" : share === 0 ? "·" : "▄";
  if (marks.length < 50) return;
  print(paint(`${elapsed()}  client  ${marks}`, 2));
  marks = "";
}

function outage(expected) {
  const longest = Math.max(0, ...gaps.splice(0));
  const took = longest === 0 ? "no gap" : `${Math.round(longest)} ms without an answer`;
  say(paint(`client  ${took}`, 1));
  print(paint(`           (${expected})`, 2));
}

/** The supervisor and its children, at once: it stands still first, so that none of them outlives another and says farewell. */
function kill({ process: { pid } }) {
  process.kill(pid, "SIGSTOP");
  const family = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").map(Number);
  for (const member of [...family.filter((number) => number > 0), pid]) process.kill(member, "SIGKILL");
}

function inNamespace(name, args, stderr) {
  const command = ["netns", "exec", `${prefix}-${name}`, process.execPath, ...args];
  const child = spawn("ip", command, { stdio: ["ignore", "pipe", stderr] });
  children.add(child);
  child.on("exit", () => children.delete(child));
  return child;
}

function finish(code) {
  if (finished) return;
  finished = true;
  for (const child of children) child.kill("SIGTERM");
  setTimeout(() => {
    for (const child of children) child.kill("SIGKILL");
    for (const name of ["sw", client.name, ...nodes.map((node) => node.name)]) {
      spawnSync("ip", ["netns", "delete", `${prefix}-${name}`], { stdio: "ignore" });
    }
    rmSync(folder, { recursive: true, force: true });
    process.exit(code);
  }, 700);
}

function ip(args) {
  const { status, stderr, error } = spawnSync("ip", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${error?.message ?? stderr.trim()}`);
}

function pause(duration) {
  return new Promise((resolve) => setTimeout(resolve, duration));
}

function elapsed() {
  return `${((performance.now() - started) / 1000).toFixed(2).padStart(6)} s`;
}

function say(text) {
  print(`${elapsed()}  ${text}`);
}

function title(text) {
  print(paint(text, 1));
}

function print(text) {
  if (!finished) process.stdout.write(`${text}\n`);
}

function paint(text, code) {
  return colour ? `\x1b[${code}m${text}\x1b[0m` : text;
}
