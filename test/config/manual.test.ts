/** The schema, the reference, the examples and the manual say the same. `UPDATE=1` rewrites the generated parts. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { commonNames } from "../../src/config/health-check.ts";
import { formatJsonSchema, jsonSchema } from "../../src/config/json-schema.ts";
import { loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problem.ts";
import { loadTexts } from "./support.ts";

interface Schema {
  readonly description?: string;
  readonly default?: unknown;
  readonly "x-default"?: string;
  readonly "x-bounds"?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly const?: unknown;
}

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const file = jsonSchema() as Schema;
const globalBlock = file.properties?.global ?? {};
const instanceBlock = file.properties?.vrrp_instance?.additionalProperties as Schema;
const mapForm = (key: string) =>
  instanceBlock.properties?.[key]?.items?.anyOf?.find(({ properties }) => properties) ?? {};
const checkBlocks = (file.properties?.health_check?.additionalProperties as Schema | undefined)?.oneOf ?? [];
const commonKeys = ["type", ...commonNames];
/** Every check has the common keys; those of one type are the rest. */
const keysOf = (block: Schema, wanted: (key: string) => boolean): Schema => ({
  properties: Object.fromEntries(Object.entries(block.properties ?? {}).filter(([key]) => wanted(key))),
  required: (block.required ?? []).filter(wanted),
});
const typesOfChecks = Object.fromEntries(
  checkBlocks.map((block) => [
    `check_${block.properties?.type?.const}`,
    keysOf(block, (key) => !commonKeys.includes(key)),
  ]),
);

const serverBlock = (file.properties?.virtual_server?.additionalProperties ?? {}) as Schema;
const mapIn = (schema: Schema | undefined) => schema?.anyOf?.find(({ properties }) => properties) ?? {};
const mapOption = (key: string) => instanceBlock.properties?.[key]?.anyOf?.find(({ properties }) => properties) ?? {};
const blocks: Readonly<Record<string, Schema>> = {
  file,
  global: globalBlock,
  instance: instanceBlock,
  address: mapForm("virtual_ipaddress"),
  route: mapForm("virtual_routes"),
  hop: mapForm("virtual_routes").properties?.nexthop?.items ?? {},
  rule: mapForm("virtual_rules"),
  peer: mapForm("unicast_peer"),
  track: instanceBlock.properties?.track?.items ?? {},
  sync_group: file.properties?.vrrp_sync_group?.additionalProperties as Schema,
  flap_damping: instanceBlock.properties?.flap_damping ?? {},
  authentication: instanceBlock.properties?.authentication ?? {},
  auth_hmac: instanceBlock.properties?.auth_hmac ?? {},
  check: keysOf(checkBlocks[0] ?? {}, (key) => commonKeys.includes(key)),
  ...typesOfChecks,
  virtual_server: serverBlock,
  real_server: mapIn(serverBlock.properties?.real_server?.items),
  sorry_server: mapIn(serverBlock.properties?.sorry_server),
  tunnel: serverBlock.properties?.tunnel ?? {},
  server_damping: serverBlock.properties?.flap_damping ?? {},
  group_entry: mapIn((file.properties?.virtual_server_group?.additionalProperties as Schema | undefined)?.items),
  lvs_timeouts: globalBlock.properties?.lvs_timeouts ?? {},
  lvs_sync_daemon: globalBlock.properties?.lvs_sync_daemon ?? {},
  command: mapOption("notify"),
  webhook: mapOption("notify_webhook"),
};

function without(block: Schema | undefined, ...keys: readonly string[]): Schema {
  const properties = Object.entries(block?.properties ?? {}).filter(([key]) => !keys.includes(key));
  return { ...block, properties: Object.fromEntries(properties) };
}

test("the JSON Schema in conf is the one the code makes", () => {
  if (process.env.UPDATE) writeFileSync(new URL("conf/viprd.schema.json", root), formatJsonSchema());
  expect(formatJsonSchema()).toBe(read("conf/viprd.schema.json"));
});

test("every key has a description, bounds, and a default unless it is required", () => {
  for (const [name, block] of Object.entries(blocks)) {
    const keys = Object.entries(block.properties ?? {});
    expect(keys.length, name).toBeGreaterThan(0);
    for (const [key, schema] of keys) {
      expect(schema.description, key).toMatch(/\.$/);
      expect(schema["x-bounds"], key).toBeTruthy();
      const hasDefault = schema.default !== undefined || schema["x-default"] !== undefined;
      expect(hasDefault, key).toBe(block.required?.includes(key) !== true);
    }
  }
});

test("the values of the reference are the defaults", () => {
  const reference = loadTexts({ "reference.yaml": read("conf/reference.yaml") });
  const given = parse(read("conf/reference.yaml"));
  const { virtual_ipaddress } = given.vrrp_instance.web;
  const required = { interface: "eth0", virtual_router_id: 51, virtual_ipaddress };
  const checks = Object.entries<Record<string, unknown>>(given.health_check);
  const blockOf = (type: unknown) => checkBlocks.find(({ properties }) => properties?.type?.const === type) ?? {};
  const oneOfTwo: Readonly<Record<string, string>> = { process: "command", radius: "secret" };
  const requiredOf = (check: Record<string, unknown>) =>
    Object.entries(check).filter(
      // Of some pairs one is required.
      ([key]) => blockOf(check.type).required?.includes(key) || oneOfTwo[String(check.type)] === key,
    );
  const smallest = loadTexts({
    "smallest.yaml": JSON.stringify({
      vrrp_instance: { web: required },
      virtual_server: {
        https: {
          ...Object.fromEntries(["address", "port", "check"].map((key) => [key, given.virtual_server.https[key]])),
          real_server: [{ address: given.virtual_server.https.real_server[0].address }],
        },
      },
      health_check: Object.fromEntries(checks.map(([name, check]) => [name, Object.fromEntries(requiredOf(check))])),
    }),
  });
  // It shows one check of every type with all its keys, and the default of track, which is nothing.
  const problems = reference.problems.filter(
    ({ message }) =>
      !message.startsWith("nothing tracks it") && !/^has no effect(: tls is none| without base)$/.test(message),
  );
  expect(problems).toEqual([]);
  expect(reference.config).toEqual(smallest.config);

  for (const [block, values] of [
    [globalBlock, given.global],
    [instanceBlock, given.vrrp_instance.web],
    [without(serverBlock, "address", "port", "check", "real_server"), given.virtual_server.https],
    [without(blocks.real_server, "address"), given.virtual_server.https.real_server[0]],
    ...checks.map(([, check]) => [blockOf(check.type), check] as const),
  ] as const) {
    for (const [key, value] of Object.entries(values)) {
      if (
        block.required?.includes(key) ||
        ["command", "secret"].includes(key) ||
        !Object.hasOwn(block.properties ?? {}, key)
      )
        continue;
      expect(value, key).toEqual(block.properties?.[key]?.default);
    }
  }
});

test("the reference names every key, those without a default in a comment", () => {
  const text = read("conf/reference.yaml");
  for (const block of Object.values(blocks)) {
    for (const [key, { default: standard }] of Object.entries(block.properties ?? {})) {
      const active = new RegExp(`^ *(- )?${key}:`, "m");
      const comment = new RegExp(`^ *#.*\\b${key}:`, "m");
      expect(active.test(text) || comment.test(text), key).toBe(true);
      // nopreempt contradicts preempt, mh_port and the like another scheduler; what is inside a commented block is commented too.
      const commented = [
        blocks.route,
        blocks.hop,
        blocks.rule,
        blocks.track,
        blocks.flap_damping,
        blocks.sync_group,
        blocks.sorry_server,
        blocks.tunnel,
        blocks.server_damping,
        blocks.group_entry,
        blocks.lvs_sync_daemon,
      ].includes(block);
      if (standard === undefined || /^(nopreempt|[ms]h_(fallback|port))$/.test(key) || commented) continue;
      if (/_ttl|auth_type|^(mode|anti_replay|timeout|headers|retries)$/.test(key)) continue;
      expect(active.test(text), `${key} has a default and stands without a comment sign`).toBe(true);
    }
  }
});

test("the tables of the manual are the schema's", () => {
  const manual = read("docs/configuration.md");
  const expected = manual.replace(
    /<!-- keys: (\w+) -->\n[\s\S]*?<!-- end -->/g,
    (_whole, name: string) => `<!-- keys: ${name} -->\n${table(blocks[name] ?? {})}<!-- end -->`,
  );
  if (process.env.UPDATE) writeFileSync(new URL("docs/configuration.md", root), expected);
  expect(read("docs/configuration.md")).toBe(expected);
  for (const name of Object.keys(blocks)) expect(manual).toContain(`<!-- keys: ${name} -->`);
});

function table(block: Schema): string {
  const rows = Object.entries(block.properties ?? {}).map(([key, schema]) => {
    const literal = Array.isArray(schema.default) ? "empty" : `\`${schema.default}\``;
    const standard = block.required?.includes(key) ? "required" : (schema["x-default"] ?? literal);
    const cells = [`\`${key}\``, schema["x-bounds"] ?? "", standard, schema.description ?? ""];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  });
  return `\n| key | value | default | meaning |\n|---|---|---|---|\n${rows.join("")}\n`;
}

const examples = readdirSync(new URL("conf/examples/", root)).map((name) => `conf/examples/${name}`);

test.each(["conf/viprd.yaml", ...examples])("%s passes the check without a warning", (path) => {
  const { config, problems } = loadConfig(new URL(path, root).pathname, { env: {}, hostName: "lb1" });
  expect(problems.map(formatProblem)).toEqual([]);
  expect((config?.instances.length ?? 0) + (config?.lvs?.virtualServers.length ?? 0)).toBeGreaterThan(0);
});

test("the configurations shown in the manual pass the check", () => {
  const shown = [...read("docs/configuration.md").matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = ""]) => text);
  const whole = shown.filter((text) => /^(vrrp_instance|virtual_server):/.test(text));
  expect(whole.length).toBeGreaterThan(0);
  for (const text of whole) expect(loadTexts({ "viprd.yaml": text }).problems).toEqual([]);
});
