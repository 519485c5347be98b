/** Resolved values: failover formulas, leases, the form of the file, differences of two configurations. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { usersOfChecks } from "../../src/config/check-users.ts";
import type { Config } from "../../src/config/config.ts";
import { describeConfig } from "../../src/config/describe.ts";
import { diffConfigs } from "../../src/config/diff.ts";
import { failoverTimes } from "../../src/config/failover.ts";
import { instanceWith, loadTexts, problemsOf } from "./support.ts";

function configOf(text: string): Config {
  const { config, problems } = loadTexts({ "viprd.yaml": text });
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return config;
}

// RFC 9568 section 6.1; RFC 3768 section 6.1, where the skew does not depend on the interval. Down intervals in ms.
test.each([
  [3, 1, 1000, 996.09375, 3996.09375],
  [3, 100, 1000, 609.375, 3609.375],
  [3, 254, 1000, 7.8125, 3007.8125],
  [3, 200, 10, 2.1875, 32.1875],
  [3, 1, 40_950, 40_790.0390625, 163_640.0390625],
  [2, 100, 1000, 609.375, 3609.375],
  [2, 200, 5000, 218.75, 15_218.75],
  [2, 100, 255_000, 609.375, 765_609.375],
] as const)("version %d, priority %d, %d ms: skew %d, down %d", (version, priority, interval, skew, down) => {
  const times = failoverTimes({ version, priority, advertisementInterval: interval });
  expect(times).toEqual({ stop: skew, crash: down });
});

test.each([
  ["advert_int: 1s", 5000],
  ["advert_int: 2s", 8000],
  ["advert_int: 10ms", 5000],
  ["advert_int: 40.95s", 148_000],
  ["lease: 2s", 2000],
  ["lease: 1h", 3_600_000],
  ["lease: false", undefined],
])("%s: the lease is %s ms", (line, lease) => {
  const [instance] = configOf(`global: { vrrp_rt_priority: 1 }\n${instanceWith(line)}`).instances;
  expect(instance?.lease).toBe(lease);
});

/** Where it stood in the file is no part of what it says. */
function withoutPlaces(config: Config | undefined): unknown {
  return JSON.parse(JSON.stringify(config ?? null, (key, value: unknown) => (key === "place" ? undefined : value)));
}

test("every accepted case, printed resolved, reads back as the same configuration", () => {
  const folder = new URL("../golden/config/good/", import.meta.url);
  for (const name of readdirSync(folder)) {
    const [input = "", output = ""] = readFileSync(new URL(name, folder), "utf8").split("----------\n");
    // What has no effect is not printed.
    if (name.includes("without-effect")) continue;
    const config = JSON.parse(output.slice(output.indexOf("{\n"))) as Config;
    // Key files are named again, not repeated.
    const others = input.split(/^=== /m).slice(1);
    const files = Object.fromEntries(others.map((text) => [/^.*/.exec(text)?.[0], text.slice(text.indexOf("\n") + 1)]));
    const described = stringify(describeConfig(config), { aliasDuplicateObjects: false });
    const again = loadTexts({ "viprd.yaml": described, ...files });
    expect(withoutPlaces(again.config), name).toEqual(withoutPlaces(config));
  }
});

test("limits hold at the edge and fail beyond it", () => {
  const v4 = (count: number) => Array.from({ length: count }, (_, i) => `10.0.${i >> 7}.${(i & 127) + 1}`);
  const v6 = (count: number) => Array.from({ length: count }, (_, i) => `"fe80::${(i + 1).toString(16)}"`);
  expect(problemsOf(instanceWith(`virtual_ipaddress: [${v4(255)}]`))).toEqual([]);
  expect(problemsOf(instanceWith(`virtual_ipaddress: [${v4(256)}]`))).toHaveLength(1);
  expect(problemsOf(instanceWith(`virtual_ipaddress: [${v6(90)}]`))).toEqual([]);
  expect(problemsOf(instanceWith(`virtual_ipaddress: [${v6(91)}]`))).toHaveLength(1);
  expect(problemsOf(instanceWith(`virtual_ipaddress: [${[...v4(255), ...v6(90)]}]`))).toEqual([]);
  for (const [line, problems] of [
    ["virtual_router_id: 1", 0],
    ["virtual_router_id: 255", 0],
    ["virtual_router_id: 0", 1],
    ["priority: 1", 0],
    ["advert_int: 40.95s", 0],
    ["advert_int: 40.96s", 1],
    ["preempt_delay: 1000s", 0],
    ["preempt_delay: 1000001ms", 1],
    ["version: 2, advert_int: 255s".replace(", ", "\n    "), 0],
    ["version: 2, advert_int: 256s".replace(", ", "\n    "), 1],
    ["version: 2, advert_int: 1500ms".replace(", ", "\n    "), 1],
    ["interface: abcdefghijklmno", 0],
    ["interface: abcdefghijklmnop", 1],
  ] as const) {
    expect(problemsOf(instanceWith(line)), line).toHaveLength(problems);
  }
});

test("a list with a bad entry is still checked for everything else", () => {
  const problems = problemsOf(
    instanceWith(
      "virtual_ipaddress: [192.0.2.300, 192.0.2.1, 192.0.2.1, 2001:db8::1]",
      "priority: 0",
      "advert_int: 15ms",
    ),
  );
  expect(problems.map((problem) => problem.split(": ")[1])).toEqual([
    "vrrp_instance.web.virtual_ipaddress[0]",
    "vrrp_instance.web.virtual_ipaddress[2]",
    "vrrp_instance.web.priority",
    "vrrp_instance.web.advert_int",
  ]);
});

test("a difference names instances and fields", () => {
  const from = configOf(`
vrrp_instance:
  same: { interface: eth0, virtual_router_id: 1, virtual_ipaddress: [192.0.2.1] }
  gone: { interface: eth0, virtual_router_id: 2, virtual_ipaddress: [192.0.2.2] }
  changed: { interface: eth0, virtual_router_id: 3, virtual_ipaddress: [192.0.2.3], max_learned_interval: 5s }
`);
  const to = configOf(`
global: { router_id: other, vrrp_priority: -5, vrrp_rt_priority: 7 }
vrrp_instance:
  changed: { interface: eth0, virtual_router_id: 3, virtual_ipaddress: [192.0.2.3/24], priority: 7 }
  new: { interface: eth0, virtual_router_id: 2, virtual_ipaddress: [192.0.2.2] }
  same: { interface: eth0, virtual_router_id: 1, virtual_ipaddress: [192.0.2.1] }
`);
  const { added, changed, removed, unchanged, global, statics } = diffConfigs(from, to);
  expect({
    added: added.map(({ name }) => name),
    changed: changed.map(({ name, fields }) => ({ name, fields })),
    removed: removed.map(({ name }) => name),
    unchanged,
    global,
    statics,
  }).toEqual({
    added: ["new"],
    changed: [{ name: "changed", fields: ["priority", "virtualAddresses", "maxLearnedInterval"] }],
    removed: ["gone"],
    unchanged: ["same"],
    global: ["routerId", "process.nice", "process.realtimePriority"],
    statics: false,
  });
  expect(diffConfigs(to, to)).toEqual({
    added: [],
    changed: [],
    removed: [],
    unchanged: ["changed", "new", "same"],
    checks: { added: [], changed: [], removed: [], unchanged: [] },
    global: [],
    groups: [],
    statics: false,
    notify: [],
    lvs: { virtualServers: { added: [], changed: [], removed: [], unchanged: [] }, settings: [] },
  });
});

test("who is told differs by what is said, not by where it stands; a notify change leaves the instance alone", () => {
  const instance = "interface: eth0, virtual_router_id: 1, virtual_ipaddress: [192.0.2.1]";
  const from = configOf(`
vrrp_instance:
  same: { ${instance}, notify: "/bin/x a" }
  gone: { ${instance.replace("eth0", "eth1").replace("2.1", "2.2")}, notify: /bin/x }
`);
  const to = configOf(`
global: { notify_fifo: /run/x }
vrrp_instance:
  gone: { ${instance.replace("eth0", "eth1").replace("2.1", "2.2")} }

  same: { ${instance}, notify: [/bin/x, a] }
`);
  expect(diffConfigs(from, to)).toMatchObject({ changed: [], notify: ["gone", "fifo"] });
  expect(diffConfigs(to, to).notify).toEqual([]);
});

test("of a custom check's options nothing is shown that its name says is secret", () => {
  const config = configOf(`
vrrp_instance:
  web: { interface: eth0, virtual_router_id: 1, virtual_ipaddress: [192.0.2.1], track: [{ check: redis }] }
health_check:
  redis:
    type: custom
    module: /x.mjs
    options: { host: a, password: s3cret, users: [{ name: b, api_token: s3cret }] }
`);
  const shown = JSON.stringify(describeConfig(config, { mask: "***" }));
  expect(shown).toContain('{"host":"a","password":"***","users":[{"name":"b","api_token":"***"}]}');
  expect(JSON.stringify(describeConfig(config))).toContain("s3cret");
});

test("of the logins of checks the names are shown, and no password", () => {
  const login = "host: 192.0.2.1, username: ann, password: s3cret";
  const config = configOf(`
vrrp_instance:
  web: { interface: eth0, virtual_router_id: 1, virtual_ipaddress: [192.0.2.1], track: [{ check: imap }] }
health_check:
${["imap", "pop", "ldap", "mysql", "pgsql", "redis", "ftp"].map((type) => `  ${type}: { type: ${type}, ${login} }`).join("\n")}
`);
  const shown = JSON.stringify(describeConfig(config, { mask: "***" }));
  expect(shown.match(/"username":"ann","password":"\*\*\*"/g)).toHaveLength(7);
  expect(shown).not.toContain("s3cret");
  expect(JSON.stringify(describeConfig(config)).match(/s3cret/g)).toHaveLength(7);
});

test("of the headers that a check sends the names are shown, and no value", () => {
  const config = configOf(`
vrrp_instance:
  web: { interface: eth0, virtual_router_id: 1, virtual_ipaddress: [192.0.2.1], track: [{ check: page }] }
health_check:
  page: { type: http, url: "http://a/", headers: { Authorization: Bearer s3cret } }
`);
  expect(JSON.stringify(describeConfig(config, { mask: "***" }))).toContain('"headers":{"authorization":"***"}');
  expect(JSON.stringify(describeConfig(config))).toContain("s3cret");
});

test("instances and groups that track a check are its users, and it is no longer warned about", () => {
  const text = (track: string) => `
vrrp_instance:
  web: { interface: eth0, virtual_router_id: 1, virtual_ipaddress: [192.0.2.1], track: [${track}] }
  mail: { interface: eth0, virtual_router_id: 2, virtual_ipaddress: [192.0.2.2] }
vrrp_sync_group:
  edge: { group: [web, mail], track: [${track}] }
health_check:
  link: { type: interface, interface: eth1 }
`;
  expect(usersOfChecks(configOf(text("check: link"))).get("link")).toEqual(["web", "group edge"]);
  expect(usersOfChecks(configOf(text(""))).get("link")).toBeUndefined();
  expect(problemsOf(text("check: link"))).toEqual([]);
  expect(problemsOf(text(""))).toEqual([
    "viprd.yaml:8:3: health_check.link: warning: nothing tracks it: it is run and told of, and decides nothing",
  ]);
});
