// Stands in for the VRRP process: speaks its messages, misbehaves as told by the instance names it is configured with.
// FAKE_VRRP_LOG names a file to which each received message is appended as a line of JSON.
import { appendFileSync } from "node:fs";

const instances = new Map();
const log = process.env.FAKE_VRRP_LOG;
let started = false;
const behave = (name) => instances.has(name);

function status(parameters) {
  const counters = {
    became_active: 0,
    released_active: 0,
    adverts_sent: 0,
    adverts_received: 0,
    priority_zero_sent: 0,
    priority_zero_received: 0,
    send_errors: 0,
    interval_errors: 0,
    address_list_errors: 0,
    other_checksum_form: 0,
    own_packets: 0,
    late_timers: 0,
    rejected: {},
  };
  return {
    name: parameters.name,
    interface: parameters.interface,
    vrid: parameters.vrid,
    version: parameters.version,
    families: ["ipv4"],
    state: "backup",
    reasons: [],
    since: new Date().toISOString(),
    priority: { base: parameters.priority, effective: parameters.priority, parts: [] },
    tracking: [],
    sync_group: null,
    advert_int_ms: parameters.advertisementInterval,
    preempt: true,
    active_router: null,
    addresses: [],
    virtual_macs: [],
    routes: [],
    rules: [],
    routers: [],
    counters,
    split_brains: [],
    duplicates: [],
    transitions: [],
  };
}

process.on("message", (message) => {
  if (log !== undefined) appendFileSync(log, `${JSON.stringify(message)}\n`);
  switch (message.type) {
    case "configure": {
      const { name } = message.parameters;
      const fresh = !instances.has(name);
      instances.set(name, message.parameters);
      if (started && fresh) tell(name, "initialize", "backup", "started");
      break;
    }
    case "remove":
      if (instances.delete(message.name) && started) tell(message.name, "backup", "initialize", message.why, true);
      break;
    case "start": {
      if (behave("dies-at-start")) process.exit(7);
      if (behave("may-not-run")) {
        const message = { type: "log", level: "error", message: "cannot run without CAP_NET_RAW" };
        process.send(message, () => process.exit(77));
        return;
      }
      process.send({ type: "started" });
      started = true;
      for (const instance of instances.keys()) tell(instance, "initialize", "backup", "started");
      if (behave("dies-soon")) setTimeout(() => process.kill(process.pid, "SIGKILL"), 20);
      if (behave("freezes")) setTimeout(() => process.kill(process.pid, "SIGSTOP"), 20);
      break;
    }
    case "status": {
      if (behave("mute")) break;
      for (const [name, parameters] of instances) {
        if (message.instance !== undefined && message.instance !== name) continue;
        process.send({ type: "status", id: message.id, instance: status(parameters) });
      }
      const none = { stalls: 0, stalled_ms: 0, last_stall: null };
      const lateness = { timers: 1, mean_ms: 0.1, p99_ms: 0.2, max_ms: 0.2, histogram: [], ...none };
      const statics = { addresses: [], routes: [], rules: [] };
      const nothing = { interfaces: [], settings: [], groups: [], statics, dropped: 0 };
      process.send({ type: "status-end", id: message.id, ...nothing, lateness });
      break;
    }
    case "stop":
      if (behave("stubborn")) break;
      if (started) for (const name of instances.keys()) tell(name, "backup", "initialize", "viprd is stopping", true);
      process.send({ type: "stopped" }, () => process.exit(0));
      break;
  }
});

function tell(instance, from, to, reason, ended) {
  const { priority } = instances.get(instance) ?? { priority: 100 };
  const event = { at: new Date().toISOString(), instance, type: "transition", from, to, reason, priority, ended };
  process.send({ type: "event", event });
}

process.on("disconnect", () => process.exit(0));
process.send({ type: "ready" });
