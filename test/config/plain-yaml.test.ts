import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readPlainYaml } from "../../src/config/plain-yaml.ts";
import { type Parsed, parseText } from "../../src/config/syntax.ts";

const env = { SET: "1" };

function read(text: string) {
  return readPlainYaml("viprd.yaml", text, env);
}

/** By the parser that knows all of YAML: what the other one gives up at behind the end changes nothing above. */
function readByParser(text: string): Parsed {
  return parseText("viprd.yaml", `${text}\n#\uFEFF`, env);
}

function expectSame(text: string, node = read(text)): void {
  expect({ root: node, problems: [], unfilled: [] }, text).toEqual(readByParser(text));
}

const common = `# how most of them look
global: { router_id: lb1, names: [a, 2 , "q # r", 'b'], none: {}, empty: [ ] } # here
virtual_server:
  https:
    address: 192.0.2.10
    port: 443   # of the service
    real_server:
    - address: 2001:db8::21

      weight: -1
    - { address: 192.0.2.22, check: [{ type: tcp }] }
      # between two
    - 192.0.2.23 443
    script: /usr/bin/tell  --to a:b $\{SET} $$5 "x"
    share: 50%
    list:
      -   a: 1
          b: 'it is # no comment'
      - .5
last: 010`;

test("what most configurations look like is read to the same values, at the same places", () => {
  expect(read(common)).toBeDefined();
  expectSame(common);
  expectSame(`${common}\n\n  # the end`);
});

/** The examples, and the inputs of all golden cases. */
const known = [
  ...["conf/viprd.yaml", "conf/reference.yaml", ...filesIn("conf/examples")].map(textOf),
  ...[...filesIn("test/golden/config/good"), ...filesIn("test/golden/config/bad")].map(
    (file) => textOf(file).split("----------\n")[0] ?? "",
  ),
];

function filesIn(folder: string): string[] {
  return readdirSync(new URL(`../../${folder}/`, import.meta.url)).map((name) => `${folder}/${name}`);
}

function textOf(file: string): string {
  return readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
}

test("every configuration of ours is read the same, or left to the other parser", () => {
  const understood = known.filter((text) => read(text) !== undefined);
  for (const text of understood) expectSame(text);
  // Otherwise this says little.
  expect(understood.length).toBeGreaterThan(known.length / 3);
});

/** What means something in YAML, or might be taken for it. */
const pieces = [
  ...[" ", "  ", "\n", "\n ", "\n  ", "\n\n", "\t", "#", " #", ":", ": ", ",", "-", "- ", "- - ", "---\n", "...\n"],
  ...["{", "}", "[", "]", "{}", "[]", '"', "'", "\\", "|", ">", "&a ", "*a", "!", "%", "@", "`", "?", "? ", "<<: "],
  ...[
    "a",
    "a: ",
    "a:\n",
    "- a: b\n",
    "- {a: 1}\n",
    "0",
    "~",
    "null",
    "$",
    "$$",
    `$\{SET}`,
    `$\{UNSET}`,
    "=",
    ".",
    "/",
    "+",
  ],
  ...["(", "<", ";", "::", "--", "é", "\u2028", "\u00A0", "\r"],
];

test("after slips of the pen, too", () => {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const slip = fc.record({ place, removed: fc.nat({ max: 3 }), added: fc.constantFrom("", ...pieces) });
  const slips = fc.array(slip, { minLength: 1, maxLength: 3 });
  let understood = 0;
  fc.assert(
    fc.property(fc.constantFrom(common, ...known), place, slips, (whole, from, all) => {
      const lines = whole.split("\n");
      const first = Math.floor(from * lines.length);
      let text = lines.slice(first, first + 12).join("\n");
      for (const { place: share, removed, added } of all) {
        const at = Math.floor(share * (text.length + 1));
        text = text.slice(0, at) + added + text.slice(at + removed);
      }
      const node = read(text);
      if (node === undefined) return;
      understood++;
      expectSame(text, node);
    }),
    { numRuns: 3000 },
  );
  expect(understood).toBeGreaterThan(100);
});

test.each([
  ["nothing at all", ""],
  ["a list at the top", "- a"],
  ["text at the top", "a"],
  ["a key without a value", "a:\nb: 1"],
  ["an anchor", "a: &x 1"],
  ["an alias", "a: *x"],
  ["a tag", "a: !!str 1"],
  ["a text over several lines", "a: |\n  b"],
  ["a value that goes on", "a: b\n  c"],
  ["a quote that goes on", 'a: "b\n  c"'],
  ["an escape", 'a: "\\n"'],
  ["a quote inside quotes", "a: 'it''s'"],
  ["something behind a quote", "a: 'b' c"],
  ["brackets over several lines", "a: [b,\n  c]"],
  ["something behind a bracket", "a: [b] c"],
  ["a bracket too few", "a: [[b]"],
  ["a value after a bracket too few", "a: {b: c, d\nb: e}"],
  ["a key in brackets without a value", "a: {b, c: d}"],
  ["an empty place in brackets", "a: [b, , c]"],
  ["two colons", "a: b: c"],
  ["a deeper line", "a: 1\n  b: 2"],
  ["a line between two depths", "a:\n    b: 1\n  c: 2"],
  ["a complex key", "? a\n: b"],
  ["a key in quotes", '"a": 1'],
  ["a document's beginning", "---\na: 1"],
  ["a document's end", "a: 1\n..."],
  ["a directive", "%YAML 1.2\n---\na: 1"],
  ["a tab", "a:\t1"],
  ["a carriage return", "a: 1\r\nb: 2"],
  ["an unset variable", `a: $\{UNSET}`],
  ["a letter beyond ASCII", "a: é"],
  ["a value that cannot begin so", "a: @b"],
  ["fourteen levels", `a: ${"[".repeat(13)}b${"]".repeat(13)}`],
])("left to the other parser: %s", (_what, text) => {
  expect(read(text)).toBeUndefined();
});
