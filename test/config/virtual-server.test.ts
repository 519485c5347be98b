/** What becomes of virtual servers beside the golden cases: shared checks, their names, defaults, differences, size. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { usersOfChecks } from "../../src/config/check-users.ts";
import type { Config } from "../../src/config/config.ts";
import { describeConfig } from "../../src/config/describe.ts";
import { detectionTime, worstDetection } from "../../src/config/detection.ts";
import { changesLvs, diffConfigs } from "../../src/config/diff.ts";
import { mostInRange } from "../../src/config/lvs-kinds.ts";
import { describeDiff } from "../../src/daemon/reload-plan.ts";
import { serviceSettings } from "../../src/lvs/service-settings.ts";
import { validateOperation } from "../../src/lvs/validate.ts";
import { loadTexts, problemsOf } from "./support.ts";

function configOf(text: string): Config {
  const { config, problems } = loadTexts({ "viprd.yaml": text });
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return config;
}

function serverWith(keys: string, real = "192.0.2.21"): string {
  return `virtual_server: { web: { address: 192.0.2.10, port: 80, check: { type: ping }, real_server: [${real}], ${keys} } }`;
}

function onlyServer(text: string) {
  const server = configOf(text).lvs?.virtualServers[0];
  if (server === undefined) throw new Error("no virtual server");
  return server;
}

const tcp = "type: tcp, port: 443";

/** Two virtual servers with one server each, and their checks. */
function two(first: string, second: string): Config {
  return configOf(`
virtual_server:
  a: { address: 192.0.2.10, port: 443, real_server: [{ address: 192.0.2.21, check: ${first} }] }
  b: { address: 192.0.2.11, port: 443, real_server: [{ address: 192.0.2.21, check: ${second} }] }
health_check:
  own: { type: tcp, host: 192.0.2.21, port: 443 }
`);
}

const checksOf = ({ lvs }: Config) => lvs?.virtualServers.map(({ servers }) => servers[0]?.checks);
const namesOf = ({ checks }: Config) => checks.map(({ name }) => name);

test("the same check of the same server is one, whoever uses it", () => {
  const config = two(
    `{ ${tcp}, interval: 2s }`,
    `[{ ${tcp}, interval: 2s, timeout: 2s }, { ${tcp}, interval: 2s, fall: 3 }]`,
  );
  expect(namesOf(config)).toEqual(["own", "tcp 192.0.2.21:443"]);
  expect(checksOf(config)).toEqual([["tcp 192.0.2.21:443"], ["tcp 192.0.2.21:443"]]);
  expect(usersOfChecks(config).get("tcp 192.0.2.21:443")).toEqual(["192.0.2.21:443 of a", "192.0.2.21:443 of b"]);
});

test("one that is in health_check already is that one", () => {
  const config = two(`{ ${tcp} }`, "own");
  expect(namesOf(config)).toEqual(["own"]);
  expect(checksOf(config)).toEqual([["own"], ["own"]]);
});

test("a check keeps its name when its timing changes; one that asks otherwise gets another", () => {
  const before = two(`{ ${tcp}, interval: 2s }`, `{ ${tcp}, interval: 2s }`);
  const slower = two(`{ ${tcp}, interval: 3s }`, `{ ${tcp}, interval: 3s }`);
  expect(namesOf(slower)).toEqual(namesOf(before));
  const apart = two(`{ ${tcp}, interval: 3s }`, `[{ ${tcp}, interval: 2s }, { ${tcp}, interval: 5s }]`);
  expect(checksOf(apart)).toEqual([["tcp 192.0.2.21:443"], ["tcp 192.0.2.21:443 (b)", "tcp 192.0.2.21:443 (b 2)"]]);
});

test("the order of the file does not matter to the names", () => {
  const text = (servers: string) => `
virtual_server:
  a: { address: 192.0.2.10, port: 443, check: { type: tcp }, real_server: [${servers}] }
`;
  const sorted = configOf(text("192.0.2.3, 192.0.2.20, 192.0.2.100"));
  expect(configOf(text("192.0.2.100, 192.0.2.3, 192.0.2.20"))).toEqual(sorted);
  expect(sorted.lvs?.virtualServers[0]?.servers.map(({ address }) => address)).toEqual([
    "192.0.2.3",
    "192.0.2.20",
    "192.0.2.100",
  ]);
});

test.each([
  ["lvs_sched: wlc", { action: "remove" }],
  ["lvs_sched: mh", { action: "quiesce_then_remove", after: 600_000 }],
  ["lvs_sched: sh", { action: "quiesce" }],
  // Their clients would be refused.
  ["lvs_sched: mh, mh_fallback: false", { action: "remove" }],
  // Flows and known clients stay with a server of weight 0.
  ["lvs_sched: mh, protocol: udp", { action: "remove" }],
  ["lvs_sched: mh, persistence_timeout: 60s", { action: "remove" }],
  // Without connections nothing stays.
  ["lvs_sched: sh, protocol: udp, ops: true", { action: "quiesce" }],
  ["inhibit_on_failure: true", { action: "quiesce" }],
  ["lvs_sched: mh, on_failure: remove", { action: "remove" }],
  ["on_failure: { quiesce_then_remove: 30s }", { action: "quiesce_then_remove", after: 30_000 }],
])("a server that fails, with %s", (keys, policy) => {
  expect(onlyServer(serverWith(keys)).servers[0]?.onFailure).toEqual(policy);
});

test.each([
  ["true", "web"],
  ["other", "other"],
  ["false", undefined],
])("ha_suspend: %s", (value, instance) => {
  const config = configOf(`
vrrp_instance:
  other: { interface: eth0, virtual_router_id: 1, virtual_ipaddress: [192.0.2.9/24] }
  web: { interface: eth0, virtual_router_id: 2, virtual_ipaddress: [192.0.2.8/24], virtual_ipaddress_excluded: [192.0.2.10/24] }
${serverWith(`ha_suspend: ${value}`)}
`);
  expect(config.lvs?.virtualServers[0]?.suspendUnless).toBe(instance);
});

test("detection: the next run, the further ones that fail, and the timeout of the last", () => {
  const check = { interval: 5000, fastInterval: 1000, timeout: 500, jitter: 100, fall: 3 };
  const timeOf = (changes: Partial<typeof check>) => {
    const { checks } = configOf(serverWith(""));
    const [some] = checks;
    if (some === undefined) throw new Error("no check");
    return detectionTime({ ...some, ...check, ...changes });
  };
  expect(timeOf({})).toBe(5000 + 100 + 2 * 1000 + 500);
  expect(timeOf({ fall: 1 })).toBe(5600);
  // Runs do not overlap.
  expect(timeOf({ timeout: 3000 })).toBe(5000 + 100 + 2 * 3000 + 3000);
});

test.each([
  // What looks at this host, or is silent when the server is, does not notice that it fails.
  ["[{ type: tcp, interval: 2s, timeout: 1s }, { type: file, path: /x }, { type: agent, port: 7 }]", 7000],
  ["[{ type: file, path: /x }, { type: agent, port: 7 }]", undefined],
  // The server itself, rather than something beside it.
  ["[{ type: ping, host: 192.0.2.99, interval: 1s }, { type: tcp, interval: 2s, timeout: 1s }]", 7000],
  ["[{ type: ping, host: 192.0.2.99, interval: 2s, timeout: 1s }]", 7000],
  ["{ type: http, url: 'http://www.example.com/', interval: 2s, timeout: 1s }", 7000],
  ["{ type: http, path: /, interval: 2s, timeout: 1s }", 7000],
])("detection by %s", (checks, expected) => {
  const config = configOf(serverWith("").replace("{ type: ping }", checks));
  const [server] = config.lvs?.virtualServers ?? [];
  const all = new Map(config.checks.map((each) => [each.name, each]));
  expect(server && worstDetection(server, all)).toBe(expected);
});

test.each([
  ["path: //other.example.com/x", "192.0.2.21", { url: "http://192.0.2.21//other.example.com/x" }],
  ["path: /a?b=//c, tls: true", "'2001:db8::21'", { url: "https://[2001:db8::21]:80/a?b=//c" }],
  ["tls: true, virtualhost: 'www.example.com:443'", "192.0.2.21", { serverName: "www.example.com" }],
  ["tls: true, virtualhost: '[2001:db8::10]'", "192.0.2.21", { headers: { host: "[2001:db8::10]" } }],
])("an http check with %s asks the server %s", (keys, address, expected) => {
  const text = serverWith("lvs_method: tun", address).replace("{ type: ping }", `{ type: http, ${keys} }`);
  expect(configOf(text).checks).toMatchObject([expected]);
});

test("a range stands for its addresses, first to last", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 }), (a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      for (const text of [`10.0.0.${low}-${high}`, `10.0.0.${low}-10.0.0.${high}`]) {
        const { servers } = onlyServer(serverWith("", text));
        expect(servers.length).toBe(high - low + 1);
        expect(servers[0]?.address).toBe(`10.0.0.${low}`);
        expect(servers.at(-1)?.address).toBe(`10.0.0.${high}`);
      }
    }),
    { numRuns: 20 },
  );
  const six = serverWith("lvs_method: tun", "'2001:db8::fe-101', '2001:db8::ffff-2001:db8::1:1'");
  expect(onlyServer(six).servers.map(({ address }) => address)).toEqual([
    "2001:db8::fe",
    "2001:db8::ff",
    "2001:db8::100",
    "2001:db8::101",
    "2001:db8::ffff",
    "2001:db8::1:0",
    "2001:db8::1:1",
  ]);
  expect(onlyServer(serverWith("", "10.0.0.254-10.0.1.1")).servers.map(({ address }) => address)).toEqual([
    "10.0.0.254",
    "10.0.0.255",
    "10.0.1.0",
    "10.0.1.1",
  ]);
});

test("the largest range is taken, one address more is not", () => {
  expect(onlyServer(serverWith("", "10.0.0.0-10.0.15.255")).servers.length).toBe(mostInRange);
  expect(problemsOf(serverWith("", "10.0.0.0-10.0.16.0"))[0]).toContain("10.0.0.0-10.0.16.0 stands for 4097 addresses");
});

test("what a reload changes is told by name", () => {
  const from = configOf(`
virtual_server:
  same: { address: 192.0.2.10, port: 1, check: { type: tcp }, real_server: [192.0.2.21] }
  changed: { address: 192.0.2.10, port: 2, check: { type: tcp }, real_server: [192.0.2.21] }
  gone: { address: 192.0.2.10, port: 3, check: { type: tcp }, real_server: [192.0.2.21] }
`);
  const to = configOf(`
global: { lvs_timeouts: { udp: 30s } }
virtual_server:
  same: { address: 192.0.2.10, port: 1, check: { type: tcp }, real_server: [192.0.2.21] }
  changed: { address: 192.0.2.10, port: 2, check: { type: tcp }, notify_up: /bin/x, quorum: 3, real_server: [{ address: 192.0.2.21, weight: 3 }, 192.0.2.22] }
  new: { address: 192.0.2.10, port: 4, check: { type: tcp }, real_server: [192.0.2.21] }
`);
  const diff = diffConfigs(from, to);
  expect(changesLvs(diff.lvs)).toBe(true);
  expect(changesLvs(diffConfigs(to, to).lvs)).toBe(false);
  expect(describeDiff(diff)).toBe(
    "removed check tcp 192.0.2.21:3; added check tcp 192.0.2.22:2, tcp 192.0.2.21:4; removed virtual server gone; " +
      "changed virtual server changed (quorum; 192.0.2.21:2 weight; added 192.0.2.22:2); added virtual server new; " +
      "changed of load balancing timeouts; changed notify of virtual server changed",
  );
});

test("commands of servers and quorums, with those of the virtual server for servers that have none", () => {
  const config = configOf(
    serverWith(
      "notify_up: /bin/up, quorum_down: { command: /bin/lost, timeout: 5s }",
      "{ address: 192.0.2.21, notify_up: /bin/own-up }, { address: 192.0.2.22, notify_down: [/bin/own-down, x] }",
    ),
  );
  const told = config.lvsNotify?.map(({ servers, quorumUp, quorumDown, ...rest }) => ({
    ...rest,
    quorumUp: quorumUp?.argv,
    quorumDown: [quorumDown?.argv, quorumDown?.timeout],
    servers: servers.map(({ name, up, down }) => [name, up?.argv, down?.argv]),
  }));
  expect(told).toEqual([
    {
      virtualServer: "web",
      webhooks: [],
      quorumUp: undefined,
      quorumDown: [["/bin/lost"], 5000],
      servers: [
        ["192.0.2.21:80", ["/bin/own-up"], undefined],
        ["192.0.2.22:80", ["/bin/up"], ["/bin/own-down", "x"]],
      ],
    },
  ]);
});

test("a hundred services with a hundred servers each are read in seconds", () => {
  const services = Array.from({ length: 100 }, (_, i) => {
    const head = `  s${i}:\n    address: 198.51.100.${i}\n    port: 80\n    real_server:\n`;
    const entry = (n: number) => `      - { address: 10.${i}.0.${n}, weight: 2, check: { type: tcp, interval: 5s } }\n`;
    return head + Array.from({ length: 100 }, (__, n) => entry(n)).join("");
  });
  const before = process.cpuUsage();
  const config = configOf(`virtual_server:\n${services.join("")}`);
  expect(config.checks.length).toBe(10_000);
  expect(usersOfChecks(config).size).toBe(10_000);
  // About two seconds of the processor, in microseconds; how long it has to wait for one is another matter.
  expect(process.cpuUsage(before).user).toBeLessThan(20_000_000);
}, 120_000);

const word = fc.constantFrom(
  ..."0 1 2 4 5 16 24 64 80 443 65535 65536 true false tcp udp sctp wlc mh sh rr nat dr tun ipip gue gre csum remcsum".split(
    " ",
  ),
  ..."192.0.2.10 192.0.2.21 192.0.2.21-23 '2001:db8::21' 127.0.0.1 'fe80::1' 198.51.100.0/30 inet inet6 web other".split(
    " ",
  ),
  ..."10s 60s 1h 50% quiesce remove repair keep sip 255.255.255.0 /usr/lib/x null [] {} [1] ping".split(" "),
  "192.0.2.21 443",
);
/** Some of these keys, most with a value that belongs there. */
function some(keys: Readonly<Record<string, string>>, always: readonly string[] = []): fc.Arbitrary<string> {
  const entry = ([key, values]: [string, string]) => {
    const value = fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(...values.split(" | ")) },
      { weight: 1, arbitrary: word },
    );
    const line = value.map((text) => `${key}: ${text}`);
    return always.includes(key) ? line : fc.option(line, { nil: undefined, freq: 1 });
  };
  return fc
    .tuple(...Object.entries(keys).map(entry))
    .map((lines) => `{ ${lines.filter((line) => line !== undefined).join(", ")} }`);
}

const tunnel = "{} | { type: gue, port: 6080 } | { type: gre, checksum: csum } | { type: ipip, port: 7 }";
const checks =
  "{ type: tcp } | { type: http, path: /x, tls: true } | { type: http, url: 'https://www.example.com/h' } | { type: ping, interval: 5s } | [{ type: tcp, port: 80 }, { type: dns }] | []";
const real = some(
  {
    address: "192.0.2.21 | 192.0.2.22-24 | '2001:db8::21'",
    port: "443 | 8443 | 0",
    weight: "0 | 5 | 300",
    lvs_method: "nat | dr | tun",
    tunnel,
    uthreshold: "0 | 100",
    lthreshold: "0 | 50 | 200",
    check: checks,
    on_failure: "remove | quiesce | { quiesce_then_remove: 30s }",
    alpha: "true | false",
  },
  ["address"],
);
const server = fc.tuple(
  some(
    {
      address: "192.0.2.10 | '2001:db8::10'",
      port: "443 | 0",
      protocol: "tcp | udp | sctp",
      lvs_sched: "wlc | mh | sh | rr | fo",
      lvs_method: "nat | dr | tun",
      tunnel,
      persistence_timeout: "60s",
      persistence_granularity: "24 | 255.255.255.0 | 64",
      ops: "true | false",
      check: checks,
      sorry_server: "192.0.2.30 | { address: 127.0.0.1, lvs_method: dr, inhibit: true } | '2001:db8::30 443'",
      quorum: "1 | 2 | 10",
      hysteresis: "0 | 1",
      on_failure: "remove | quiesce",
      slow_start: "0s | 10s",
      panic_threshold: "0% | 50%",
    },
    ["address", "port"],
  ),
  fc.array(fc.oneof(fc.constantFrom("192.0.2.31-32", "192.0.2.33 443", "'2001:db8::33'"), real), {
    minLength: 1,
    maxLength: 3,
  }),
);

test("whatever stands there, it is read or refused in words; what is read means the same when it is printed, and the kernel takes it", () => {
  let read = 0;
  fc.assert(
    fc.property(server, ([keys, servers]) => {
      const text = keys.replace(/}$/, `, real_server: [${servers.join(", ")}] }`);
      const { config, problems } = loadTexts({ "viprd.yaml": `virtual_server: { web: ${text} }` });
      if (config === undefined) {
        expect(problems.length).toBeGreaterThan(0);
        return;
      }
      read++;
      const again = loadTexts({ "viprd.yaml": stringify(describeConfig(config), { aliasDuplicateObjects: false }) });
      expect(again.config, JSON.stringify(again.problems)).toEqual(config);
      for (const each of config.lvs?.virtualServers ?? []) {
        for (const service of each.services) {
          expect(
            validateOperation({ type: "add-service", service, settings: serviceSettings(each, service) }),
          ).toBeUndefined();
          for (const destination of [...each.servers, ...(each.sorryServer === undefined ? [] : [each.sorryServer])]) {
            const settings = {
              weight: 1,
              upperThreshold: 0,
              lowerThreshold: 0,
              ...destination,
              port: destination.port ?? 0,
            };
            expect(validateOperation({ type: "add-destination", service, settings })).toBeUndefined();
          }
        }
      }
    }),
    { numRuns: 800 },
  );
  expect(read).toBeGreaterThan(20);
}, 120_000);
