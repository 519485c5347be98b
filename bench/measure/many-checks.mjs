// 5000 TCP and 1000 HTTP checks of 1 s each in one checks process on one core: what they cost, and how late they begin.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { now, sleep, until } from "../lib/clock.mjs";
import { Lan } from "../lib/lan.mjs";
import { Daemon, memory, processorTime } from "../lib/processes.mjs";
import { viprd } from "../lib/products.mjs";

export const name = "many-checks";
export const title = "5000 TCP and 1000 HTTP checks of 1 s each: one checks process, one core, targets on the other";

const tcp = 5000;
const http = 1000;
const tcpPort = 7000;
const httpPort = 7001;
/** The servers have all of these addresses. */
const targets = "10.60.0.0/16";
const host = "10.50.255.100";
const addressOf = (i) => `10.60.${i >> 8}.${i & 255}`;

const tcpServer = `require("node:net").createServer((s) => { s.on("error", () => {}); s.resume(); })
  .listen({ port: ${tcpPort}, backlog: 4096 })`;
const httpServer = `require("node:http").createServer((_, response) => response.end("up\\n"))
  .listen({ port: ${httpPort}, backlog: 4096 })`;

const config = [
  "health_check:",
  ...Array.from(
    { length: tcp },
    (_, i) => `  t${i}: { type: tcp, host: ${addressOf(i)}, port: ${tcpPort}, timeout: 500ms }`,
  ),
  ...Array.from(
    { length: http },
    (_, i) => `  h${i}: { type: http, url: "http://${addressOf(i)}:${httpPort}/health", body: up, timeout: 500ms }`,
  ),
  "",
].join("\n");

export async function measure(report, { extent }) {
  const lan = new Lan();
  // Tens of thousands of packets a second are nothing to be captured.
  lan.capture.close();
  const running = [];
  try {
    for (const [file, value] of [
      ["net.ipv4.ip_local_port_range", "1024 65000"],
      ["net.core.somaxconn", "4096"],
    ]) {
      for (const node of ["r1", "h1"]) inNode(lan, node, "sysctl", "-qw", `${file}=${value}`);
    }
    lan.ip("h1", [`route add local ${targets} dev lo`]);
    lan.ip("r1", [`route add ${targets} via ${host}`]);
    for (const server of [tcpServer, httpServer]) running.push(new Daemon(lan, "h1", process.execPath, ["-e", server]));
    const daemon = viprd.startWith(lan, "r1", config);
    running.push(daemon);
    const checker = await until("the checks process", () => daemon.tree()[2], 20_000);
    pin(running.slice(0, 2), 1);
    pin([daemon], 0);
    await until("all checks up", () => all(daemon, "up"), 60_000, 500);
    // What belongs to the start (compilation, first verdicts) is not what running costs.
    await sleep(5000);
    const subject = { report, lan, daemon, checker, seconds: extent === "full" ? 60 : 15 };
    const open = descriptors(checker);
    await watch("all up", subject);
    await watch("all up, status asked each second", subject, 1000);
    // Packets to the targets end in h1, which forwards nothing: nobody answers, and thousands of connections are pending.
    lan.ip("h1", [`route del local ${targets} dev lo`]);
    await until("all checks down", () => all(daemon, "down"), 60_000, 500);
    await watch("no answer", subject);
    lan.ip("h1", [`route add local ${targets} dev lo`]);
    await until("all checks up again", () => all(daemon, "up"), 60_000, 500);
    await sleep(3000);
    report.sample("left in the end: descriptors", "viprd", descriptors(checker) - open, "more");
    report.sample("left in the end: TIME_WAIT", "viprd", timeWaits(lan), "sockets");
  } finally {
    for (const process of running) process.kill();
    lan.remove();
  }
}

async function watch(what, { report, lan, daemon, checker, seconds }, pause) {
  const before = await daemon.status();
  const [from, spent] = [now(), processorTime([checker])];
  const end = from + seconds * 1000;
  let timeWaiting = 0;
  while (now() < end) {
    await sleep(Math.min(pause ?? 3000, end - now()));
    if (pause !== undefined) await daemon.status();
    timeWaiting = Math.max(timeWaiting, timeWaits(lan));
  }
  const share = ((processorTime([checker]) - spent) / (now() - from)) * 100;
  const after = await daemon.status();
  const elapsed = now() - from;
  const sample = (figure, value, unit) => report.sample(`${what}: ${figure}`, "viprd", value, unit);
  sample("processor", share, "% core");
  sample("resident", memory(checker).rss, "MiB");
  const counts = after.checks_lateness.histogram.map(
    ({ count }, i) => count - before.checks_lateness.histogram[i].count,
  );
  const bounds = after.checks_lateness.histogram.map(({ le_ms }) => le_ms ?? after.checks_lateness.max_ms);
  for (const q of [0.5, 0.99, 0.999]) sample(`lateness p${q * 100}, at most`, quantileOf(bounds, counts, q), "ms");
  sample("runs", (total(after, "runs") - total(before, "runs")) / (elapsed / 1000), "per s");
  sample("failed", total(after, "failed_runs") - total(before, "failed_runs"), "runs");
  sample("TIME_WAIT", timeWaiting, "sockets");
}

function quantileOf(bounds, counts, q) {
  const wanted = q * counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (const [i, count] of counts.entries()) {
    seen += count;
    if (seen >= wanted) return bounds[i];
  }
  return bounds.at(-1);
}

function total({ checks }, key) {
  return checks.reduce((sum, check) => sum + check[key], 0);
}

async function all(daemon, state) {
  const { checks } = await daemon.status();
  return checks.length === tcp + http && checks.every((check) => check.state === state);
}

function pin(daemons, core) {
  for (const daemon of daemons) {
    for (const pid of daemon.tree()) spawnSync("taskset", ["-acp", String(core), String(pid)]);
  }
}

function descriptors(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function timeWaits(lan) {
  return inNode(lan, "r1", "ss", "-Htan", "state", "time-wait").split("\n").filter(Boolean).length;
}

function inNode(lan, node, command, ...args) {
  const { status, stdout, stderr } = spawnSync("nsenter", [`--net=${lan.path(node)}`, "--", command, ...args], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return stdout;
}
