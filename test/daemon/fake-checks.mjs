// Stands in for the checks process: speaks its messages; finds checks whose name begins with "good" or "bad" to be so, and
// balances in words only.
// FAKE_CHECKS_LOG names a file to which each received message is appended as a line of JSON.
import { appendFileSync } from "node:fs";

const checks = new Map();
let lvs;
const log = process.env.FAKE_CHECKS_LOG;

function status({ name, type, rise, fall, interval, timeout }) {
  const since = new Date().toISOString();
  return {
    name,
    type,
    state: "up",
    since,
    reason: "the stand-in says so",
    last: null,
    rise,
    fall,
    successes: 1,
    failures: 0,
    runs: 1,
    failed_runs: 0,
    interval_ms: interval,
    timeout_ms: timeout,
    changes: [],
    warning: null,
    advice: null,
  };
}

const nothing = { connections: 0, packets_in: 0, packets_out: 0, bytes_in: 0, bytes_out: 0 };
const noRates = {
  connections_per_second: 0,
  packets_in_per_second: 0,
  packets_out_per_second: 0,
  bytes_in_per_second: 0,
  bytes_out_per_second: 0,
};
const traffic = { ...nothing, ...noRates };
const told = { state: "up", reason: "the stand-in says so", since: new Date().toISOString() };

function server({ name, weight }) {
  return {
    name,
    ...told,
    method: "nat",
    configured_weight: weight,
    desired_weight: weight,
    kernel_weight: weight,
    active_connections: 0,
    inactive_connections: 0,
    persistent_connections: 0,
    traffic,
    checks: [],
    admin: [],
    changes: [],
    weight_reason: null,
    hints: [],
  };
}

function* lvsParts(asked) {
  if (lvs === undefined || asked === "none") return;
  const table = { unmanaged: [], drift: { found: 0, repaired: 0, last: null }, errors: {}, trouble: null };
  const around = { kernel: null, sync_daemons: [], timeouts_s: null, settings: [], findings: [], problems: [] };
  yield { of: "lvs", lvs: { ...table, ...around } };
  for (const { name, services, servers } of lvs.virtualServers) {
    if (asked !== "all" && asked.name !== name) continue;
    const virtual_server = {
      name,
      ...told,
      services: services.map(({ address }) => ({ address, present: true, traffic })),
      scheduler: "wlc",
      quorum: { required: 1, hysteresis: 0, weight_up: 1 },
      sorry_server: null,
      panic: false,
      suspended: false,
      foreign: [],
    };
    yield { of: "virtual_server", virtual_server };
    for (const each of servers) yield { of: "server", server: server(each) };
  }
}

function judge(name) {
  const verdict = { type: "verdict", check: name, up: true, reason: "it is good" };
  if (name.startsWith("good")) process.send(verdict);
  if (name === "good-but-old") process.send({ ...verdict, warning: "the certificate of it expires in 9 days" });
  if (name === "good-and-full") process.send({ ...verdict, advice: { weightPercent: 50, mode: "ready" } });
  if (name.startsWith("bad")) process.send({ type: "verdict", check: name, up: false, reason: "it is bad" });
}

function eventOf([first]) {
  const [virtual_server, name] = [first.name, first.servers[0].name];
  const at = new Date().toISOString();
  return { at, type: "server", virtual_server, server: name, from: "unknown", to: "up", reason: "it is good" };
}

let started = false;
process.on("message", (message) => {
  if (log !== undefined) appendFileSync(log, `${JSON.stringify(message)}\n`);
  switch (message.type) {
    case "configure":
      checks.set(message.parameters.name, message.parameters);
      if (started) judge(message.parameters.name);
      break;
    case "lvs":
      lvs = message.parameters;
      break;
    case "remove":
      checks.delete(message.name);
      break;
    case "start":
      started = true;
      process.send({ type: "started" });
      if (lvs !== undefined) process.send({ type: "lvs-event", event: eventOf(lvs.virtualServers) });
      for (const name of checks.keys()) judge(name);
      break;
    case "status":
      if (message.about?.checks) {
        for (const check of checks.values()) {
          process.send({ type: "status", id: message.id, part: { of: "check", check: status(check) } });
        }
      }
      if (message.about !== undefined) {
        for (const part of lvsParts(message.about.virtualServers))
          process.send({ type: "status", id: message.id, part });
      }
      process.send({
        type: "status-end",
        id: message.id,
        lateness: { timers: 1, mean_ms: 0, p99_ms: 0, max_ms: 0, histogram: [] },
      });
      break;
    case "stop":
      process.send({ type: "stopped" }, () => process.exit(0));
      break;
  }
});
process.on("disconnect", () => process.exit(0));
process.send({ type: "ready" });
