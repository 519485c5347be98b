import { expect, test } from "vitest";
import { formatProblem } from "../../src/config/problem.ts";
import { parseNames, readRoutingNames } from "../../src/config/routing-names.ts";
import { loadTexts } from "./support.ts";

function from(files: Readonly<Record<string, string>>): ReturnType<typeof readRoutingNames> {
  return readRoutingNames(
    (path) => files[path],
    (path) => Object.keys(files).flatMap((file) => (file.startsWith(`${path}/`) ? [file.slice(path.length + 1)] : [])),
  );
}

test("lines of number and name are read; comments, blank lines and nonsense are passed over", () => {
  const text = "# reserved\n255\tlocal\n\n 0x64  isp # behind it\n101 dsl\nnonsense\n4294967296 too_large\n7\n";
  expect([...parseNames(text, new Map())]).toEqual([
    ["local", 255],
    ["isp", 100],
    ["dsl", 101],
  ]);
});

test("without any file the kernel's own names are known", () => {
  const { tables, protocols } = from({});
  expect([...tables]).toEqual([
    ["default", 253],
    ["main", 254],
    ["local", 255],
  ]);
  expect(protocols.get("static")).toBe(4);
});

test("the administrator's file hides the one of the distribution; files beside it are added, *.conf only", () => {
  const { tables, protocols } = from({
    "/usr/share/iproute2/rt_tables": "10 hidden",
    "/etc/iproute2/rt_tables": "11 isp\n12 dsl",
    "/usr/share/iproute2/rt_tables.d/a.conf": "13 dsl",
    "/etc/iproute2/rt_tables.d/b.conf": "14 vpn\n15 isp",
    "/etc/iproute2/rt_tables.d/README": "16 readme",
    "/usr/share/iproute2/rt_protos": "188 ospf",
  });
  expect([tables.get("hidden"), tables.get("isp"), tables.get("dsl"), tables.get("vpn"), tables.get("readme")]).toEqual(
    [undefined, 15, 13, 14, undefined],
  );
  expect(protocols.get("ospf")).toBe(188);
});

const text = `
vrrp_instance:
  web:
    interface: eth0
    virtual_router_id: 51
    virtual_ipaddress: [192.0.2.10/24]
    virtual_routes:
      - default via 192.0.2.254 table isp proto ospf
    virtual_rules:
      - { priority: 5, table: isp }
`;

test("names of the host's files are numbers in the configuration", () => {
  const files = { "viprd.yaml": text, "/etc/iproute2/rt_tables": "100 isp", "/etc/iproute2/rt_protos": "188 ospf" };
  const { config, problems } = loadTexts(files);
  expect(problems).toEqual([]);
  expect(config?.instances[0]?.routes?.[0]).toMatchObject({ table: 100, protocol: 188 });
  expect(config?.instances[0]?.rules?.[0]).toMatchObject({ table: 100 });
});

test("a name that the host does not have is told with the nearest one it has", () => {
  const { problems } = loadTexts({ "viprd.yaml": text, "/etc/iproute2/rt_tables": "100 isp1" });
  expect(problems.map(formatProblem)).toEqual([
    'viprd.yaml:8:9: vrrp_instance.web.virtual_routes[0]: proto (word 7): expected a routing protocol that is known here, or its number, got "ospf": known are boot, static',
    'viprd.yaml:8:9: vrrp_instance.web.virtual_routes[0]: table (word 5): expected a routing table that is known here, or its number, got "isp": did you mean isp1?',
    'viprd.yaml:10:31: vrrp_instance.web.virtual_rules[0].table: expected a routing table that is known here, or its number, got "isp": did you mean isp1?',
  ]);
});
