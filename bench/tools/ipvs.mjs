// Runs in the virtual machine of the tests: the same table of 10 000 servers through viprd, keepalived and ipvsadm. Tells
// each figure in a message to its parent.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { openIpvs } from "../../dist/lvs/ipvs.js";
import { inNetworkNamespace } from "../../dist/socket/namespace.js";
import { now, sleep, until } from "../lib/clock.mjs";
import { Daemon, processorTime } from "../lib/processes.mjs";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const { swapped } = JSON.parse(process.env.VIPRD_BENCH_ARGS);
const services = 100;
const servers = 100;
const total = services * servers;
const directory = mkdtempSync(`${tmpdir()}/viprd-bench-`);
const path = (name) => `/run/netns/${name}`;
const minute = 60_000;
let counter = 0;

function tell(what, product, value, unit = "ms") {
  process.send({ what, product, value, unit });
}

/** A namespace of its own: an empty table, and nothing that was deleted and is remembered. */
async function withNamespace(body) {
  const name = `bench${counter++}`;
  execFileSync("ip", ["netns", "add", name]);
  execFileSync("ip", ["-n", name, "link", "set", "lo", "up"]);
  const ipvs = await inNetworkNamespace(path(name), () => openIpvs());
  try {
    return await body(name, ipvs);
  } finally {
    ipvs.close();
    execFileSync("ip", ["netns", "del", name]);
  }
}

const addressOf = (i) => `10.1.0.${i + 1}`;
const serverOf = (i, j) => `10.2.${i}.${j + 1}`;
const list = (length, of) => Array.from({ length }, (_, i) => of(i));
const changed = { service: 50, server: 50 };
const weightOf = (i, j, weight) => (i === changed.service && j === changed.server ? weight : 1);

const table = list(services, (i) => ({
  kind: "address",
  family: 4,
  protocol: "tcp",
  address: addressOf(i),
  port: 80,
}));
const operations = table.flatMap((service, i) => [
  { type: "add-service", service, settings: { scheduler: "rr", flags: 0, timeout: 0, netmask: 0xffffffff } },
  ...list(servers, (j) => ({ type: "add-destination", service, settings: settingsOf(i, j, 1) })),
]);

function settingsOf(i, j, weight) {
  const settings = { family: 4, address: serverOf(i, j), port: 80, forwarding: { method: "dr" }, weight };
  return { ...settings, upperThreshold: 0, lowerThreshold: 0 };
}

const lines = list(services, (i) => [
  `-A -t ${addressOf(i)}:80 -s rr\n`,
  ...list(servers, (j) => `-a -t ${addressOf(i)}:80 -r ${serverOf(i, j)}:80 -g -w 1\n`),
])
  .flat()
  .join("");

/** The same to both, without checks: the table is all they have to do. */
const daemons = {
  viprd: {
    config: (weight) =>
      `global: { router_id: bench }\nvirtual_server:\n${list(
        services,
        (i) =>
          `  s${i}:\n    address: ${addressOf(i)}\n    port: 80\n    lvs_sched: rr\n    lvs_method: dr\n    check: []\n    real_server:\n${list(
            servers,
            (j) => `      - { address: ${serverOf(i, j)}, port: 80, weight: ${weightOf(i, j, weight)} }\n`,
          ).join("")}`,
      ).join("")}`,
    command: (file) => [
      process.execPath,
      [main, "run", "-c", file, "--runtime-dir", `${file}.d`, "--log-level", "warn"],
    ],
  },
  keepalived: {
    config: (weight) =>
      `global_defs {\n  router_id bench\n}\n${list(
        services,
        (i) =>
          `virtual_server ${addressOf(i)} 80 {\n  lvs_sched rr\n  lvs_method DR\n  protocol TCP\n${list(
            servers,
            (j) => `  real_server ${serverOf(i, j)} 80 {\n    weight ${weightOf(i, j, weight)}\n  }\n`,
          ).join("")}}\n`,
      ).join("")}`,
    command: (file) => ["keepalived", ["-n", "-l", "-C", "-f", file, "-p", `${file}.pid`, "-c", `${file}.check.pid`]],
  },
};

async function timed(work) {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** Milliseconds from the start of a program in the namespace to its end. */
function program(name, command, args, input = "") {
  return timed(
    () =>
      new Promise((resolve, reject) => {
        const all = [`--net=${path(name)}`, "--", command, ...args];
        const child = spawn("nsenter", all, { stdio: ["pipe", "ignore", "inherit"] });
        child.stdin.end(input);
        child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${command} ${args}: ${code}`))));
      }),
  );
}

async function applied(ipvs, wanted) {
  const refused = (await ipvs.apply(wanted)).find((result) => result !== undefined);
  if (refused !== undefined) throw new Error(refused.message);
}

async function readAll(ipvs) {
  let count = 0;
  for (const { address } of await ipvs.services()) count += (await ipvs.destinations(address)).length;
  return count;
}

async function expectFull(ipvs) {
  const count = await readAll(ipvs);
  if (count !== total) throw new Error(`${count} servers in the table, not ${total}`);
}

/** Waits for all servers, one service after the other from the end: few questions while there is work. */
async function full(ipvs) {
  const left = [...table];
  const done = async () => {
    while (left.length > 0) {
      if ((await ipvs.destinations(left.at(-1))).length < servers) return false;
      left.pop();
    }
    return true;
  };
  await until("10 000 servers", done, 2 * minute);
}

const empty = "10 000 servers from empty";
const one = "one weight among 10 000";
const whole = "the whole table read";

async function byIpvsadm() {
  await withNamespace(async (name, ipvs) => {
    tell(empty, "ipvsadm -R", await program(name, "ipvsadm", ["-R"], lines));
    await expectFull(ipvs);
    const target = `-e -t ${addressOf(changed.service)}:80 -r ${serverOf(changed.service, changed.server)}:80 -g -w 7`;
    tell(one, "ipvsadm -e", await program(name, "ipvsadm", target.split(" ")));
    for (const option of ["-Ln", "-Sn"]) tell(whole, `ipvsadm ${option}`, await program(name, "ipvsadm", [option]));
  });
}

async function byClient(time) {
  await withNamespace(async (name, ipvs) => {
    tell(empty, `viprd's client, ${time}`, await timed(() => applied(ipvs, operations)));
    await expectFull(ipvs);
    const settings = settingsOf(changed.service, changed.server, 7);
    const change = { type: "edit-destination", service: table[changed.service], settings };
    tell(one, "viprd's client", await timed(() => applied(ipvs, [change])));
    tell(whole, "viprd's client", await timed(() => readAll(ipvs)));
    // The table of a namespace shows through somebody inside.
    const inside = spawn("nsenter", [`--net=${path(name)}`, "--", "sleep", "60"], { stdio: "ignore" });
    try {
      const isInside = () => readFileSync(`/proc/${inside.pid}/cmdline`, "utf8").startsWith("sleep");
      await until("somebody inside", isInside, minute);
      const reader = await openIpvs({ proc: `/proc/${inside.pid}/net/ip_vs` });
      tell("whether anything has changed", "viprd's client", await timed(() => reader.fingerprint()));
      reader.close();
    } finally {
      inside.kill();
    }
  });
}

async function byDaemon(product) {
  await withNamespace(async (name, ipvs) => {
    const { config, command } = daemons[product];
    const file = `${directory}/${product}`;
    writeFileSync(file, config(1));
    const from = performance.now();
    const daemon = new Daemon({ path }, name, ...command(file));
    try {
      await until("a first service", async () => (await ipvs.service(table[0])) !== undefined, 3 * minute);
      const begun = performance.now();
      await full(ipvs);
      tell(empty, product, performance.now() - begun);
      tell("start of the program to the last of 10 000 servers", product, performance.now() - from);
      await quiet(daemon);
      await reload(product, daemon);
      writeFileSync(file, config(7));
      await reloadChanged(product, daemon, ipvs);
    } catch (error) {
      throw new Error(`${product}: ${error.message}\n${daemon.log.join("")}`);
    } finally {
      daemon.kill();
      await daemon.exited;
    }
  });
}

async function reload(product, daemon) {
  const before = processorTime(daemon.tree());
  const from = daemon.signal("SIGHUP");
  tell("reload that changes nothing: until all is quiet", product, (await quiet(daemon)) - from);
  tell("reload that changes nothing: processor", product, processorTime(daemon.tree()) - before);
}

async function reloadChanged(product, daemon, ipvs) {
  const before = processorTime(daemon.tree());
  tell(`reload with ${one}: until it is in the table`, product, await timed(() => reweighed(daemon, ipvs)));
  await quiet(daemon);
  tell(`reload with ${one}: processor`, product, processorTime(daemon.tree()) - before);
}

async function reweighed(daemon, ipvs) {
  daemon.signal("SIGHUP");
  const there = ({ settings }) => settings.weight === 7;
  await until("the weight", async () => (await ipvs.destinations(table[changed.service])).some(there), 2 * minute);
}

/** Gives the time since which the daemon has hardly used the processor, when that is half a second ago. */
async function quiet(daemon) {
  let since = now();
  let used = processorTime(daemon.tree());
  for (const deadline = since + 2 * minute; ; ) {
    await sleep(50);
    const more = processorTime(daemon.tree());
    // Heartbeats go on.
    if (more - used > 5) since = now();
    used = more;
    if (now() - since > 500) return since;
    if (now() > deadline) throw new Error("it does not come to rest");
  }
}

// The code of the client runs for the first time, then again, as that of a daemon that has run for a while.
for (const time of ["first time", "again"]) {
  await byIpvsadm();
  await byClient(time);
}
for (const product of swapped ? ["keepalived", "viprd"] : ["viprd", "keepalived"]) await byDaemon(product);
