// Stands in for the checks process: speaks its messages; finds checks whose name begins with "good" or "bad" to be so.
// FAKE_CHECKS_LOG names a file to which each received message is appended as a line of JSON.
import { appendFileSync } from "node:fs";

const checks = new Map();
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

function judge(name) {
  const verdict = { type: "verdict", check: name, up: true, reason: "it is good" };
  if (name.startsWith("good")) process.send(verdict);
  if (name === "good-but-old") process.send({ ...verdict, warning: "the certificate of it expires in 9 days" });
  if (name === "good-and-full") process.send({ ...verdict, advice: { weightPercent: 50, mode: "ready" } });
  if (name.startsWith("bad")) process.send({ type: "verdict", check: name, up: false, reason: "it is bad" });
}

let started = false;
process.on("message", (message) => {
  if (log !== undefined) appendFileSync(log, `${JSON.stringify(message)}\n`);
  switch (message.type) {
    case "configure":
      checks.set(message.parameters.name, message.parameters);
      if (started) judge(message.parameters.name);
      break;
    case "remove":
      checks.delete(message.name);
      break;
    case "start":
      started = true;
      process.send({ type: "started" });
      for (const name of checks.keys()) judge(name);
      break;
    case "status":
      if (message.checks) {
        for (const check of checks.values()) process.send({ type: "status", id: message.id, check: status(check) });
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
