/** Files that are damaged, huge or built to hurt: a clear problem, soon, and never a throw. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { instanceWith, loadTexts, problemsOf } from "./support.ts";

const valid = instanceWith(
  "priority: 150",
  "advert_int: 500ms",
  "preempt_delay: 30s",
  "virtual_ipaddress: [192.0.2.10/24, 'fe80::51/64', { address: '2001:db8::10/64', nodad: true }]",
  "unicast_src_ip: [192.0.2.1, '2001:db8::1']",
  "unicast_peer: [192.0.2.2, { address: '2001:db8::2', min_ttl: 250 }]",
  "lease: 10s",
);

test("a byte order mark and Windows line ends change nothing", () => {
  const bytes = new TextEncoder().encode(`\uFEFF${valid.replaceAll("\n", "\r\n")}`);
  expect(loadTexts({ "viprd.yaml": bytes }).config).toEqual(loadTexts({ "viprd.yaml": valid }).config);
  expect(problemsOf(valid)).toEqual([]);
});

test.each([
  ["a NUL byte", "global:\n  router_id: a\0b\n", "viprd.yaml:2:15: a NUL byte: the file is damaged or is not text"],
  ["a control character", "a: \u0007", "viprd.yaml:1:4: control character 0x07: the file is damaged or is not text"],
  ["UTF-16", Uint8Array.of(0xff, 0xfe, 0x61, 0), "viprd.yaml:1:1: the file is UTF-16: save it as UTF-8"],
  [
    "Latin-1",
    Uint8Array.of(0x61, 0x3a, 0x0a, 0x62, 0xfc, 0x3a),
    "viprd.yaml:2:2: a byte that is not UTF-8: save the file as UTF-8",
  ],
  ["only spaces", "  \n\n", "viprd.yaml:1:1: the file is empty: it needs at least vrrp_instance or virtual_server"],
  [
    "an empty document",
    "---\n",
    "viprd.yaml:1:1: the file is empty: it needs at least vrrp_instance or virtual_server",
  ],
])("%s is named", (_name, text, message) => {
  expect(problemsOf(text)).toEqual([message]);
});

test("a file larger than 4 MiB is not parsed", () => {
  expect(problemsOf("#".repeat(4 * 1024 * 1024 + 1))).toEqual([
    "viprd.yaml: larger than 4 MiB: this is no configuration file",
  ]);
});

test.each([
  ["brackets", "[".repeat(12_000)],
  ["closed brackets", `a: ${"[".repeat(12_000)}${"]".repeat(12_000)}`],
  ["braces", "{a: ".repeat(12_000)],
  ["dashes", `${"- ".repeat(12_000)}x`],
  ["question marks", "? ".repeat(12_000)],
])("%s nested 12,000 deep are refused before they are composed", (_name, text) => {
  expect(problemsOf(text)).toEqual(["viprd.yaml:1:1: nested more than 32 levels deep"]);
});

test("aliases that multiply are counted, not followed", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 20; i++)
    lines.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(", ")}]`,
    );
  const problems = problemsOf(lines.join("\n"));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^viprd\.yaml:\d+:\d+: a\d\[\d\]: aliases stand for more than 500000 values here$/);
});

test("a thousand instances load in a moment", () => {
  const one = (i: number) => `
  i${i}:
    interface: eth${Math.floor(i / 250)}
    virtual_router_id: ${(i % 250) + 1}
    priority: 150
    advert_int: 1s
    virtual_ipaddress:
      - 10.1.${Math.floor(i / 250)}.${(i % 250) + 1}/24 dev eth0 label eth0:vip`;
  const text = `vrrp_instance:${Array.from({ length: 1000 }, (_, i) => one(i)).join("")}\n`;
  const begin = performance.now();
  const { config, problems } = loadTexts({ "viprd.yaml": text });
  expect(problems).toEqual([]);
  expect(config?.instances).toHaveLength(1000);
  // Some 300 ms on a slow machine; quadratic behaviour would take minutes.
  expect(performance.now() - begin).toBeLessThan(15_000);
});

const pieces = [
  "\n",
  " ",
  "  ",
  "\t",
  ":",
  ": ",
  "- ",
  "[",
  "]",
  "{",
  "}",
  "'",
  '"',
  "#",
  "&a ",
  "*a",
  "!",
  "|",
  ">",
  "?",
].concat(
  ["%", "@", "`", "---\n", "...\n", "~", "null", "true", "no", "010", "0x33", "1e9", "-1", ".inf", "12:30", "<<: "],
  ["$", "$$", "$".concat("{"), "__proto__", "constructor", "include: ", "é", "\u2028", "9".repeat(40), "a".repeat(300)],
);

test("random damage to a valid file never throws, and whatever is accepted can be used", () => {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat({ max: 12 }),
    put: fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 6 }), fc.constant("")),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
      let text = valid;
      for (const { at, cut, put } of edits) {
        const i = Math.floor(at * text.length);
        text = text.slice(0, i) + put + text.slice(i + cut);
      }
      const { config, problems } = loadTexts({ "viprd.yaml": text });
      expect(config === undefined).toBe(problems.some(({ severity }) => severity === "error"));
      for (const { line, column, message } of problems) {
        expect(message).not.toMatch(/Invalid input|undefined|\[object/);
        expect(line * column).toBeGreaterThanOrEqual(0);
      }
      for (const instance of config?.instances ?? []) {
        expect(instance.vrid >= 1 && instance.vrid <= 255).toBe(true);
        expect(instance.families.length).toBeGreaterThan(0);
        expect(instance.virtualAddresses.length).toBeGreaterThan(0);
        expect(JSON.parse(JSON.stringify(instance))).toEqual(instance);
      }
    }),
    { numRuns: 200 },
  );
});

test("random YAML values in every place never throw", () => {
  const scalar = fc.oneof(
    fc.constantFrom(...pieces, null, true, false, 0, -1, 1.5, 255, 256, Number.MAX_SAFE_INTEGER),
    fc.string({ maxLength: 8 }),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      scalar,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom("address", "dev", "label", "auth_pass", "auth_type", "priority", "x"),
        tie("value"),
        { maxKeys: 3 },
      ),
    ),
  }));
  const keys = [
    "interface",
    "virtual_router_id",
    "virtual_ipaddress",
    "virtual_ipaddress_excluded",
    "unicast_peer",
  ].concat([
    "authentication",
    "advert_int",
    "lease",
    "mcast_src_ip",
    "unicast_src_ip",
    "version",
    "preempt",
    "v3_checksum",
  ]);
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), value), value, value, (web, global, include) => {
      const text = JSON.stringify({ vrrp_instance: { web }, global, include });
      const { problems } = loadTexts({ "viprd.yaml": text });
      for (const { message } of problems) expect(message).not.toMatch(/Invalid input|undefined|\[object/);
    }),
    { numRuns: 200 },
  );
});

test("no message tells a password, wherever it ended up", () => {
  const secret = "s3cr3t!x";
  const places = [
    `auth_pass: ${secret}`,
    `auth_pass ${secret}`,
    `authentication: ${secret}`,
    `authentication: [${secret}]`,
    `authentication: { ${secret} }`,
    `authentication: { auth_pass ${secret} }`,
    `authentication: { auth_type: PASS auth_pass: ${secret} }`,
    `authentication: { auth_pass: [${secret}] }`,
    `authentication: { auth_pass: { ${secret}: 1 } }`,
    `authentication: { auth_pass: "${secret}${secret}" }`,
    `authentication: { auth_pass: '${secret} }`,
    `authentication: { auth_pass: "${secret}" ${secret} }`,
    `authentication: { auth_pass: *${secret} }`,
    `authentication: { auth_pass: !${secret} }`,
    `authentication: { auth_pass: &${secret} }`,
    `authentication: { auth_pass: @${secret} }`,
    `authentication: { auth_pass: "${secret}\\q" }`,
    `authentication: { auth_pass: ${secret}, auth_pass: ${secret} }`,
    `authentication: { auth_type: AH, auth_pass: ${secret} }`,
    `authentication: { pass: ${secret} }`,
    `priority: 100\n      auth_pass ${secret}`,
    `nopreempt: true\n    auth_pass ${secret}\n    priority: 100`,
  ];
  for (const version of [2, 3]) {
    for (const place of places) {
      const problems = problemsOf(instanceWith(`version: ${version}`, place));
      expect(problems.length, place).toBeGreaterThan(0);
      expect(problems.join("\n"), place).not.toContain("s3cr3t");
    }
  }
});

test("a named pipe is not waited for", () => {
  const directory = mkdtempSync(join(tmpdir(), "viprd-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const pipe = join(directory, "viprd.yaml");
  execFileSync("mkfifo", [pipe]);
  const { problems } = loadConfig(pipe);
  expect(problems.map(({ message }) => message)).toEqual(["cannot be read: it is a pipe: name a file"]);
});

test("a directory that cannot be listed is a problem, not an empty one", () => {
  const texts = { "viprd.yaml": `include: "conf.d/*.yaml"\n${valid}` };
  const listDirectory = () => {
    throw Object.assign(new Error("x"), { code: "EACCES" });
  };
  expect(problemsOf(texts["viprd.yaml"], { listDirectory })).toEqual([
    "viprd.yaml:1:10: include: cannot look for conf.d/*.yaml: no permission (EACCES)",
  ]);
});

test("a device without an end is read up to the limit", () => {
  expect(loadConfig("/dev/zero", { env: {} }).problems.map(({ message }) => message)).toEqual([
    "larger than 4 MiB: this is no configuration file",
  ]);
});

test("what the operating system refuses is told without a stack", () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error("x"), { code });
  };
  const messages = ["ENOENT", "EACCES", "EISDIR", "ELOOP", "EIO"].map(
    (code) => loadConfig("/etc/viprd/viprd.yaml", { readFile: failing(code), env: {} }).problems[0]?.message,
  );
  expect(messages).toEqual([
    "cannot be read: no such file or directory (ENOENT)",
    "cannot be read: no permission (EACCES)",
    "cannot be read: it is a directory (EISDIR): name a file",
    "cannot be read: its symbolic links go round in a circle (ELOOP)",
    "cannot be read: EIO",
  ]);
});
