/** The client of the load balancer on a real kernel, beside ipvsadm: what one writes the other reads. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { expect, test } from "vitest";
import { type Ipvs, type IpvsOptions, openIpvs } from "../../src/lvs/ipvs.ts";
import type { Protocol, ServiceAddress, Tunnel } from "../../src/lvs/parameters.ts";
import type { DestinationSettings, Operation, ServiceSettings } from "../../src/lvs/table.ts";
import { inNetworkNamespace } from "../../src/socket/namespace.ts";
import { Namespace, until } from "../support/netlink-namespace.ts";

interface Director {
  readonly ipvs: Ipvs;
  readonly namespace: Namespace;
  ipvsadm(...args: readonly string[]): string;
  restore(lines: readonly string[]): void;
}

/** A namespace with an interface, a client inside, and nothing in the table. */
function director(name: string, body: (director: Director) => Promise<void>, options: IpvsOptions = {}): void {
  test.concurrent(name, { timeout: 120_000 }, async () => {
    const namespace = new Namespace();
    let inside: ChildProcess | undefined;
    let ipvs: Ipvs | undefined;
    try {
      namespace.batch([
        "link add d0 type dummy",
        "link set d0 up",
        "addr add 192.0.2.1/24 dev d0",
        "addr add 2001:db8::1/64 dev d0 nodad",
      ]);
      // Somebody inside, by whom /proc shows the table of the namespace.
      inside = spawn("ip", ["netns", "exec", namespace.name, "sleep", "600"], { stdio: "ignore" });
      const proc = `/proc/${inside.pid}/net/ip_vs`;
      ipvs = await namespace.inside(() => openIpvs({ proc, ...options }));
      const run = (args: readonly string[], input = ""): string =>
        execFileSync("ip", ["netns", "exec", namespace.name, "ipvsadm", ...args], { encoding: "utf8", input });
      await body({
        ipvs,
        namespace,
        ipvsadm: (...args) => run(args),
        restore: (lines) => void run(["-R"], `${lines.join("\n")}\n`),
      });
    } finally {
      ipvs?.close();
      inside?.kill("SIGKILL");
      namespace.remove();
    }
  });
}

function at(address: string, port: number, protocol: Protocol = "tcp"): ServiceAddress {
  return { kind: "address", family: address.includes(":") ? 6 : 4, protocol, address, port };
}

function settings(scheduler: string, changes: Partial<ServiceSettings> = {}): ServiceSettings {
  return { scheduler, flags: 0, timeout: 0, netmask: 0xffffffff, ...changes };
}

function server(address: string, port: number, changes: Partial<DestinationSettings> = {}): DestinationSettings {
  const family = address.includes(":") ? 6 : 4;
  const usual = { forwarding: { method: "dr" }, weight: 1, upperThreshold: 0, lowerThreshold: 0 } as const;
  return { family, address, port, ...usual, ...changes };
}

function tunnel(tunnel: Tunnel): Pick<DestinationSettings, "forwarding"> {
  return { forwarding: { method: "tun", tunnel } };
}

function numbered(count: number, port = 80): DestinationSettings[] {
  return Array.from({ length: count }, (_, i) => server(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, port));
}

const web = at("192.0.2.10", 80);
const web6 = at("2001:db8::10", 443);
const dns = at("192.0.2.10", 53, "udp");
const sip = at("192.0.2.10", 5060, "udp");
const diameter = at("192.0.2.10", 3868, "sctp");
const anyPort = at("192.0.2.11", 0);
const mark: ServiceAddress = { kind: "mark", family: 4, mark: 7 };
const mark6: ServiceAddress = { kind: "mark", family: 6, mark: 0x7fffffff };

const table: readonly (readonly [ServiceAddress, ServiceSettings, readonly DestinationSettings[], string])[] = [
  [
    web,
    settings("wlc"),
    [
      server("192.0.2.21", 8080, { forwarding: { method: "nat" }, weight: 5, upperThreshold: 100, lowerThreshold: 50 }),
      server("192.0.2.22", 80, { weight: 0 }),
      server("192.0.2.23", 80, { ...tunnel({ type: "ipip" }), weight: 0x7fffffff }),
      server("192.0.2.24", 80, { ...tunnel({ type: "gue", port: 6080, checksum: "nocsum" }), upperThreshold: 65535 }),
      server("192.0.2.25", 80, tunnel({ type: "gue", port: 6081, checksum: "csum" })),
      server("192.0.2.26", 80, tunnel({ type: "gue", port: 6082, checksum: "remcsum" })),
      server("192.0.2.27", 80, tunnel({ type: "gre", checksum: "nocsum" })),
      server("192.0.2.28", 80, tunnel({ type: "gre", checksum: "csum" })),
      server("2001:db8::29", 80, tunnel({ type: "ipip" })),
    ],
    "-A -t 192.0.2.10:80 -s wlc",
  ],
  [
    web6,
    settings("mh", { flags: 0x19, timeout: 600, netmask: 64 }),
    [server("2001:db8::21", 443, { weight: 7 }), server("192.0.2.21", 443, tunnel({ type: "ipip" }))],
    "-A -t [2001:db8::10]:443 -s mh -p 600 -M 64 -b mh-fallback,mh-port",
  ],
  [dns, settings("rr", { flags: 4 }), [server("192.0.2.21", 53)], "-A -u 192.0.2.10:53 -s rr -o"],
  [sip, settings("rr", { flags: 1, timeout: 60, engine: "sip" }), [], "-A -u 192.0.2.10:5060 -s rr -p 60 --pe sip"],
  [
    diameter,
    settings("sh", { flags: 0x11, timeout: 300, netmask: 0xffffff00 }),
    [server("192.0.2.21", 3868, { forwarding: { method: "nat" } })],
    "-A --sctp-service 192.0.2.10:3868 -s sh -p 300 -M 255.255.255.0 -b sh-port",
  ],
  [anyPort, settings("wrr", { flags: 1, timeout: 50 }), [server("192.0.2.21", 0)], "-A -t 192.0.2.11:0 -s wrr -p 50"],
  [
    mark,
    settings("lblc", { flags: 0x38 }),
    [server("192.0.2.21", 0, { weight: 3 })],
    "-A -f 7 -s lblc -b flag-1,flag-2,flag-3",
  ],
  [mark6, settings("ovf", { netmask: 128 }), [server("2001:db8::21", 0)], "-A -f 2147483647 -6 -s ovf"],
];

function fill(): Operation[] {
  return table.flatMap(([service, settings, servers]): Operation[] => [
    { type: "add-service", service, settings },
    ...servers.map((settings): Operation => ({ type: "add-destination", service, settings })),
  ]);
}

type Table = readonly (readonly [ServiceAddress, ServiceSettings, readonly DestinationSettings[]])[];

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

async function read(ipvs: Ipvs): Promise<Table> {
  const found: Table[number][] = [];
  for (const { address, settings } of await ipvs.services()) {
    const servers = await ipvs.destinations(address);
    found.push([address, settings, servers.map((server) => server.settings)]);
  }
  return found.sort(byText);
}

/** In the order of the kernel, which puts a new server in front. */
function expectedTable(): Table {
  return table
    .map(([service, settings, servers]): Table[number] => [service, settings, servers.toReversed()])
    .sort(byText);
}

function withoutOrder(table: Table): Table {
  return table.map(([service, settings, servers]) => [service, settings, servers.toSorted(byText)]);
}

director("what the client writes ipvsadm reads, every attribute, and the other way round", async (d) => {
  expect(await d.ipvs.apply(fill())).toEqual(new Array(fill().length).fill(undefined));
  expect(await read(d.ipvs)).toEqual(expectedTable());
  const saved = d
    .ipvsadm("-Sn")
    .trim()
    .split("\n")
    .map((line) => line.trim());
  expect(saved.filter((line) => line.startsWith("-A")).sort()).toEqual(table.map(([, , , line]) => line).sort());
  expect(saved.filter((line) => line.startsWith("-a -t 192.0.2.10:80")).sort()).toEqual([
    "-a -t 192.0.2.10:80 -r 192.0.2.21:8080 -m -w 5",
    "-a -t 192.0.2.10:80 -r 192.0.2.22:80 -g -w 0",
    "-a -t 192.0.2.10:80 -r 192.0.2.23:80 -i -w 2147483647 --tun-type ipip",
    "-a -t 192.0.2.10:80 -r 192.0.2.24:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum",
    "-a -t 192.0.2.10:80 -r 192.0.2.25:80 -i -w 1 --tun-type gue --tun-port 6081 --tun-csum",
    "-a -t 192.0.2.10:80 -r 192.0.2.26:80 -i -w 1 --tun-type gue --tun-port 6082 --tun-remcsum",
    "-a -t 192.0.2.10:80 -r 192.0.2.27:80 -i -w 1 --tun-type gre --tun-nocsum",
    "-a -t 192.0.2.10:80 -r 192.0.2.28:80 -i -w 1 --tun-type gre --tun-csum",
    "-a -t 192.0.2.10:80 -r [2001:db8::29]:80 -i -w 1 --tun-type ipip",
  ]);
  expect(d.ipvsadm("-Ln", "--thresholds")).toMatch(/192\.0\.2\.21:8080 +100 +50 /);
  const tunnels = d.ipvsadm("-Ln", "--tun-info").matchAll(/Tunnel +(\S+) /g);
  expect([...tunnels].map(([, told]) => told)).toEqual([
    ...["ipip", "gue:6080:-c", "gue:6081:+c", "gue:6082:r+c", "gre:-c", "gre:+c", "ipip"],
    "ipip",
  ]);
  // And back: what ipvsadm saves and restores is the same to the client. It saves all but the thresholds.
  d.ipvsadm("-C");
  expect(await d.ipvs.services()).toEqual([]);
  d.restore(saved);
  d.ipvsadm("-e", ..."-t 192.0.2.10:80 -r 192.0.2.21:8080 -m -w 5 -x 100 -y 50".split(" "));
  d.ipvsadm("-e", ..."-t 192.0.2.10:80 -r 192.0.2.24:80 -i --tun-type gue --tun-port 6080 -x 65535".split(" "));
  expect(withoutOrder(await read(d.ipvs))).toEqual(withoutOrder(expectedTable()));
});

function message(results: Awaited<ReturnType<Ipvs["apply"]>>): (string | undefined)[] {
  return results.map((result) => result?.message);
}

function words(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "done",
    (error: unknown) => (error instanceof Error ? error.message : error),
  );
}

director("what can be changed in place is, and nothing that is not named stays", async (d) => {
  const gue = server("192.0.2.21", 5060, tunnel({ type: "gue", port: 6080, checksum: "csum" }));
  const before = settings("rr", { flags: 1, timeout: 60, engine: "sip" });
  await d.ipvs.apply([
    { type: "add-service", service: sip, settings: before },
    { type: "add-destination", service: sip, settings: gue },
  ]);
  const after = settings("mh", { flags: 0x18 });
  const others: DestinationSettings[] = [
    { ...gue, weight: 9, upperThreshold: 7, lowerThreshold: 3 },
    { ...gue, ...tunnel({ type: "gre", checksum: "nocsum" }) },
    { ...gue, ...tunnel({ type: "ipip" }) },
    { ...gue, forwarding: { method: "dr" } },
    { ...gue, forwarding: { method: "nat" } },
    gue,
  ];
  expect(await d.ipvs.apply([{ type: "edit-service", service: sip, settings: after }])).toEqual([undefined]);
  expect((await d.ipvs.service(sip))?.settings).toEqual(after);
  for (const settings of others) {
    expect(await d.ipvs.apply([{ type: "edit-destination", service: sip, settings }])).toEqual([undefined]);
    expect((await d.ipvs.destinations(sip)).map((found) => found.settings)).toEqual([settings]);
  }
  await d.ipvs.apply([{ type: "edit-service", service: sip, settings: before }]);
  expect((await d.ipvs.services()).map(({ settings }) => settings)).toEqual([before]);
});

director("each error of the kernel is told in words that fit the command", async (d) => {
  const one = server("192.0.2.21", 80);
  const other = at("192.0.2.12", 80);
  const missing = "change server 192.0.2.29:80 of tcp 192.0.2.10:80: there is no such server (ENOENT)";
  const unknown = "the kernel does not know the scheduler nosuch and could not load it: modprobe ip_vs_nosuch (ENOENT)";
  const engine = "the scheduler rr or the persistence engine nosuch and could not load it: modprobe ip_vs_rr";
  const broadcast = "its address is a broadcast address here or cannot be routed";
  const cases: readonly (readonly [Operation, string | undefined])[] = [
    [{ type: "add-service", service: web, settings: settings("rr") }, undefined],
    [
      { type: "add-service", service: web, settings: settings("wlc") },
      "add tcp 192.0.2.10:80: it exists already (EEXIST)",
    ],
    [
      { type: "edit-service", service: other, settings: settings("rr") },
      "change tcp 192.0.2.12:80: there is no such service (ESRCH)",
    ],
    [{ type: "delete-service", service: other }, "delete tcp 192.0.2.12:80: there is no such service (ESRCH)"],
    [{ type: "add-service", service: other, settings: settings("nosuch") }, `add tcp 192.0.2.12:80: ${unknown}`],
    [{ type: "edit-service", service: web, settings: settings("nosuch") }, `change tcp 192.0.2.10:80: ${unknown}`],
    [
      { type: "add-service", service: sip, settings: settings("rr", { flags: 1, timeout: 60, engine: "nosuch" }) },
      `add udp 192.0.2.10:5060: the kernel does not know ${engine}, modprobe ip_vs_pe_nosuch (ENOENT)`,
    ],
    [{ type: "add-destination", service: web, settings: one }, undefined],
    [
      { type: "add-destination", service: web, settings: { ...one, weight: 4 } },
      "add server 192.0.2.21:80 to tcp 192.0.2.10:80: it exists already (EEXIST)",
    ],
    [
      { type: "add-destination", service: other, settings: one },
      "add server 192.0.2.21:80 to tcp 192.0.2.12:80: there is no such service (ESRCH)",
    ],
    [{ type: "edit-destination", service: web, settings: server("192.0.2.29", 80) }, missing],
    [
      { type: "delete-destination", service: web, family: 4, address: "192.0.2.29", port: 80 },
      "delete server 192.0.2.29:80 from tcp 192.0.2.10:80: there is no such server (ENOENT)",
    ],
    [
      { type: "delete-destination", service: other, family: 4, address: "192.0.2.21", port: 80 },
      "delete server 192.0.2.21:80 from tcp 192.0.2.12:80: there is no such service (ESRCH)",
    ],
    [
      { type: "add-destination", service: web, settings: server("192.0.2.255", 80) },
      `add server 192.0.2.255:80 to tcp 192.0.2.10:80: the kernel takes no such server: ${broadcast}, ` +
        "or the network namespace has no address yet (its lo is down) (EINVAL)",
    ],
    [{ type: "edit-destination", service: web, settings: { ...one, weight: 9 } }, undefined],
  ];
  expect(message(await d.ipvs.apply(cases.map(([operation]) => operation)))).toEqual(cases.map(([, told]) => told));
  expect(await d.ipvs.destinations(other)).toEqual([]);
  expect(await d.ipvs.service(other)).toBeUndefined();
  expect(await words(d.ipvs.zero(other))).toBe(
    "set the counters of tcp 192.0.2.12:80 to zero: ESRCH (there is no such service)",
  );
  expect((await d.ipvs.destinations(web)).map(({ settings }) => settings)).toEqual([{ ...one, weight: 9 }]);
});

director("sync daemons are started with all that they have, and errors have words", async (d) => {
  const usual = { interface: "d0", syncId: 5, group: "224.0.0.81", port: 8848, ttl: 1 };
  const master = {
    role: "master",
    parameters: { interface: "d0", syncId: 7, maximumLength: 1400, group: "239.1.1.1", port: 9000, ttl: 3 },
  } as const;
  await d.ipvs.startSyncDaemon(master);
  await d.ipvs.startSyncDaemon({ role: "backup", parameters: usual });
  expect(await d.ipvs.syncDaemons()).toEqual([
    master,
    { role: "backup", parameters: { ...usual, maximumLength: 1472 } },
  ]);
  expect(d.ipvsadm("-Ln", "--daemon")).toMatch(
    /master sync daemon \(mcast=d0, syncid=7, maxlen=1400, group=239.1.1.1, port=9000, ttl=3\)\nbackup sync daemon \(mcast=d0, syncid=5, .*group=224.0.0.81, port=8848, ttl=1\)/,
  );
  expect(await words(d.ipvs.startSyncDaemon(master))).toBe(
    "start the sync master on d0: EEXIST (it is running already)",
  );
  // With a daemon there are no servers of the other family, and the other way round.
  await d.ipvs.apply([{ type: "add-service", service: web, settings: settings("rr") }]);
  const mixed: Operation = {
    type: "add-destination",
    service: web,
    settings: server("2001:db8::21", 80, tunnel({ type: "ipip" })),
  };
  expect(message(await d.ipvs.apply([mixed]))[0]).toMatch(
    /servers of the other family and a sync daemon exclude each other \(EINVAL\)$/,
  );
  await d.ipvs.stopSyncDaemon("master");
  await d.ipvs.stopSyncDaemon("backup");
  expect(await d.ipvs.syncDaemons()).toEqual([]);
  expect(await words(d.ipvs.stopSyncDaemon("backup"))).toBe("stop the sync backup: ESRCH (it is not running)");
  expect(await words(d.ipvs.startSyncDaemon({ role: "master", parameters: { ...usual, interface: "none" } }))).toBe(
    "start the sync master on none: ENODEV (there is no such interface)",
  );
  const v6 = { role: "backup", parameters: { ...usual, group: "ff02::51", maximumLength: 1452 } } as const;
  await d.ipvs.startSyncDaemon(v6);
  expect(await d.ipvs.syncDaemons()).toEqual([v6]);
  await d.ipvs.stopSyncDaemon("backup");
  expect(await d.ipvs.apply([mixed])).toEqual([undefined]);
  expect(await words(d.ipvs.startSyncDaemon(master))).toBe(
    "start the sync master on d0: EINVAL (the kernel takes no such group, or there are servers of the other family than their service's)",
  );
});

director("timeouts, counters, and everything taken away", async (d) => {
  expect(await d.ipvs.info()).toEqual({ version: "1.2.1", connectionTableSize: 4096 });
  expect(await d.ipvs.timeouts()).toEqual({ tcp: 900_000, tcpFin: 120_000, udp: 300_000 });
  await d.ipvs.setTimeouts({ tcp: 1_000_000, udp: 20_000 });
  expect(await d.ipvs.timeouts()).toEqual({ tcp: 1_000_000, tcpFin: 120_000, udp: 20_000 });
  expect(d.ipvsadm("-Ln", "--timeout")).toContain("Timeout (tcp tcpfin udp): 1000 120 20");

  await d.ipvs.apply(fill());
  const send = "for i in {1..20}; do echo twenty-one characters > /dev/udp/192.0.2.10/53; done";
  execFileSync("ip", ["netns", "exec", d.namespace.name, "bash", "-c", send]);
  const traffic = async () => (await d.ipvs.service(dns))?.traffic;
  await until("the kernel has counted", async () => (await traffic())?.connections === 20, 10_000);
  expect(await traffic()).toMatchObject({ connections: 20, packetsIn: 20, bytesIn: 20 * 50, packetsOut: 0 });
  expect((await d.ipvs.destinations(dns)).map(({ traffic }) => traffic.bytesIn)).toEqual([1000]);
  expect(d.ipvsadm("-Ln", "--stats", "--exact", "-u", "192.0.2.10:53")).toMatch(/:53 +20 +20 +0 +1000 +0\n/);
  await d.ipvs.zero(dns);
  expect(await traffic()).toMatchObject({ connections: 0, packetsIn: 0, bytesIn: 0 });
  await d.ipvs.zero();
  await d.ipvs.flush();
  expect(await d.ipvs.services()).toEqual([]);
  expect(d.ipvsadm("-Sn").trim()).toBe("");
});

director("the fingerprint changes with the table, whoever changed it, and with nothing else", async (d) => {
  await d.ipvs.apply(fill());
  const seen = new Set([await d.ipvs.fingerprint()]);
  expect(seen.has(await d.ipvs.fingerprint())).toBe(true);
  for (const change of [
    ["-e", "-t", "192.0.2.10:80", "-r", "192.0.2.22:80", "-g", "-w", "1"],
    ["-e", "-t", "192.0.2.10:80", "-r", "192.0.2.22:80", "-i", "-w", "1"],
    ["-d", "-t", "192.0.2.10:80", "-r", "192.0.2.22:80"],
    ["-E", "-t", "192.0.2.10:80", "-s", "wrr"],
    ["-D", "-f", "7"],
  ]) {
    d.ipvsadm(...change);
    const now = await d.ipvs.fingerprint();
    expect(seen.has(now), change.join(" ")).toBe(false);
    seen.add(now);
    expect(await d.ipvs.fingerprint()).toBe(now);
  }
  await d.ipvs.setTimeouts({ tcp: 1000 });
  expect(seen.has(await d.ipvs.fingerprint())).toBe(true);
});

const services = Array.from({ length: 100 }, (_, i) => at(`192.0.2.${i + 100}`, 80));
const duplicate = server("10.9.9.9", 80);

director("of ten thousand changes each has its own result", async (d) => {
  const operations: Operation[] = [];
  const wrong = new Map<number, string>();
  for (const [i, service] of services.entries()) {
    operations.push({ type: "add-service", service, settings: settings("rr") });
    for (const [j, settings] of [duplicate, ...numbered(99)].entries()) {
      if ((i + j) % 7 === 3 && j > 0) {
        // The kernel refuses it, in the middle of a batch.
        operations.push({ type: "add-destination", service, settings: duplicate });
        wrong.set(operations.length - 1, "EEXIST");
      }
      if ((i + j) % 31 === 5) {
        // We do.
        operations.push({ type: "add-destination", service, settings: { ...settings, weight: -1 } });
        wrong.set(operations.length - 1, "not -1");
      }
      operations.push({ type: "add-destination", service, settings });
    }
  }
  const results = await d.ipvs.apply(operations);
  expect(results).toHaveLength(operations.length);
  const refused = results.flatMap((result, i) => (result === undefined ? [] : [i]));
  expect(refused).toEqual([...wrong.keys()]);
  for (const [i, word] of wrong) expect(results[i]?.message).toContain(word);
  expect(wrong.size).toBeGreaterThan(1500);
  const found = await d.ipvs.services();
  expect(found).toHaveLength(100);
  const all = await Promise.all(found.map(({ address }) => d.ipvs.destinations(address)));
  expect(all.every((servers) => servers.length === 100)).toBe(true);
});

const raced: string[] = [];

director(
  "a dump beside changes of somebody else is told as one, and has no entry twice; beside our own it is whole",
  async (d) => {
    const add = (servers: readonly DestinationSettings[]) =>
      servers.map((settings): Operation => ({ type: "add-destination", service: web, settings }));
    await d.ipvs.apply([{ type: "add-service", service: web, settings: settings("rr") }]);
    // Our own: a dump sees all of a change or nothing of it.
    const [, found] = await Promise.all([d.ipvs.apply(add(numbered(2000))), d.ipvs.destinations(web)]);
    expect(found).toHaveLength(2000);
    expect(raced).toEqual([]);
    // Somebody else puts new servers in front: what stood there moves on, behind what was read already.
    const other = await d.namespace.inside(() => openIpvs());
    try {
      for (let round = 0; raced.length === 0 && round < 50; round++) {
        const more = numbered(20).map((settings) => ({
          ...settings,
          address: `10.200.${round}.${settings.address.split(".")[3]}`,
        }));
        const [servers] = await Promise.all([d.ipvs.destinations(web), other.apply(add(more))]);
        const keys = servers.map(({ settings }) => settings.address);
        expect(new Set(keys).size).toBe(keys.length);
      }
    } finally {
      other.close();
    }
    expect(raced[0]).toBe("list the servers of tcp 192.0.2.10:80");
  },
  { raced: (what) => raced.push(what) },
);

test.concurrent("a namespace without any address takes no servers, and says so", async () => {
  const name = `vp${process.pid}-bare`;
  execFileSync("ip", ["netns", "add", name]);
  const ipvs = await inNetworkNamespace(`/run/netns/${name}`, () => openIpvs());
  try {
    const add = { type: "add-destination", service: web, settings: server("192.0.2.21", 80) } as const;
    const [service, destination] = await ipvs.apply([
      { type: "add-service", service: web, settings: settings("rr") },
      add,
    ]);
    expect(service).toBeUndefined();
    expect(destination?.message).toContain("or the network namespace has no address yet (its lo is down) (EINVAL)");
    execFileSync("ip", ["-n", name, "link", "set", "lo", "up"]);
    expect(await ipvs.apply([add])).toEqual([undefined]);
  } finally {
    ipvs.close();
    execFileSync("ip", ["netns", "del", name]);
  }
});

test("without the privilege nothing is allowed, not even reading", async () => {
  const ipvs = await openIpvs();
  const privilege = "it takes CAP_NET_ADMIN in the initial user namespace";
  process.seteuid?.(65534);
  try {
    expect(await words(openIpvs())).toBe(`read the version of IPVS: EPERM (${privilege})`);
    // The privilege of who sends counts, not of who opened the socket.
    expect(await words(ipvs.services())).toBe(`list services: EPERM (${privilege})`);
    expect(message(await ipvs.apply([{ type: "delete-service", service: web }]))).toEqual([
      `delete tcp 192.0.2.10:80: ${privilege} (EPERM)`,
    ]);
  } finally {
    process.seteuid?.(0);
    ipvs.close();
  }
});
