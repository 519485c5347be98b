/** Durations, variables, patterns and suggestions: the small languages inside values. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, guessDuration, parseDuration } from "../../src/config/duration.ts";
import { expandPattern, matches } from "../../src/config/include.ts";
import { distance, nearest } from "../../src/config/suggest.ts";
import { fillVariables, resolvePlain, withoutVariables } from "../../src/config/variables.ts";

/** `${inside}`, which the linter takes for a forgotten template. */
const variable = (inside: string) => `$\{${inside}}`;

test.each([
  ["0s", 0],
  ["10ms", 10],
  ["0.07s", 70],
  ["1.5s", 1500],
  ["40.95s", 40_950],
  ["0.5ms", 0.5],
  ["1m", 60_000],
  ["1h", 3_600_000],
])("%s is %d milliseconds", (text, value) => {
  expect(parseDuration(text)).toBe(value);
});

test.each(["1", "1 s", "-1s", "+1s", ".5s", "1.s", "1e3s", "1S", "s", "", " 1s", "1s ", "1us", "1d"])(
  "%j is no duration",
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test("a formatted duration reads back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000_000 }), (microseconds) => {
      expect(parseDuration(formatDuration(microseconds / 1000))).toBe(microseconds / 1000);
    }),
  );
});

test("what is offered instead of a bad duration is a good one", () => {
  for (const input of [1, 0.4, 30, 0, "1 sec", "5 MINUTES", "1,5s", "1m30s", "2d", "300us", "50cs", ".5"]) {
    expect(parseDuration(guessDuration(input) ?? "")).toBeDefined();
  }
  for (const input of ["soon", -1, Number.NaN, null, [], true]) expect(guessDuration(input)).toBeUndefined();
});

test.each([
  ["plain text", "plain text"],
  [variable("A"), "1"],
  [`x${variable("A")}y${variable("B")}`, "x1y"],
  [variable("C:-d e"), "d e"],
  [variable("B:-empty"), "empty"],
  [variable("A:-unused"), "1"],
  [`$$${variable("A")}`, "$1"],
  [`$$\{A}`, `$\{A}`],
  ["$A costs 5$", "$A costs 5$"],
  [variable("C:-"), ""],
  [variable("C:-http://x:-y"), "http://x:-y"],
])("%s becomes %j", (text, filled) => {
  expect(fillVariables(text, { A: "1", B: "" })).toEqual({ text: filled, complaints: [] });
});

test("a value is never filled in twice", () => {
  expect(fillVariables(variable("A"), { A: variable("B"), B: "x" }).text).toBe(variable("B"));
});

test("the prototype of the environment holds no variables", () => {
  expect(fillVariables(variable("constructor"), {}).complaints).toEqual([
    `environment variable constructor is not set: set it, or write ${variable("constructor:-default")}`,
  ]);
});

test.each([
  ["150", 150],
  ["-1.5", -1.5],
  ["0x33", 51],
  ["true", true],
  ["no", "no"],
  ["", null],
  ["~", null],
  ["12:30", "12:30"],
  ["192.0.2.1", "192.0.2.1"],
])("the plain scalar %j is %j", (text, value) => {
  expect(resolvePlain(text)).toBe(value);
});

test.each([
  ["a.yaml", "*.yaml", true],
  ["a.yaml", "?.yaml", true],
  ["ab.yaml", "?.yaml", false],
  ["a.yaml.bak", "*.yaml", false],
  [".a.yaml", "*.yaml", false],
  [".a.yaml", ".*.yaml", true],
  ["a.b.yaml", "a*b*", true],
  ["", "*", true],
  ["x", "", false],
  ["a[1].yaml", "a[1].yaml", true],
])("%j matches %j: %s", (name, pattern, expected) => {
  expect(matches(name, pattern)).toBe(expected);
});

test("a row of stars takes no time", () => {
  expect(matches("a".repeat(5000), `${"*a".repeat(50)}*b`)).toBe(false);
});

test("patterns are relative to the including file, may stand in directories, and come out sorted", () => {
  const tree: Readonly<Record<string, readonly string[]>> = {
    "/etc/viprd/sites": ["b", "a", ".git"],
    "/etc/viprd/sites/a": ["2.yaml", "1.yaml"],
    "/etc/viprd/sites/b": ["x.yaml", "x.txt"],
  };
  const list = (path: string) => {
    const names = tree[path];
    if (names === undefined) throw new Error("no such directory");
    return names;
  };
  const from = "/etc/viprd/viprd.yaml";
  expect(expandPattern("sites/*/*.yaml", from, list)).toEqual([
    "/etc/viprd/sites/a/1.yaml",
    "/etc/viprd/sites/a/2.yaml",
    "/etc/viprd/sites/b/x.yaml",
  ]);
  expect(expandPattern("../x.yaml", from, list)).toEqual(["/etc/x.yaml"]);
  expect(() => expandPattern("/srv/*.yaml", from, list)).toThrow("no such directory");
  expect(expandPattern("plain.yaml", "viprd.yaml", list)).toEqual(["plain.yaml"]);
});

test.each([
  ["priorty", "priority", 1],
  ["pirority", "priority", 1],
  ["abc", "", 3],
  ["", "abc", 3],
  ["same", "same", 0],
])("from %j to %j it is %d steps", (a, b, steps) => {
  expect(distance(a, b)).toBe(steps);
});

test("only a near word is suggested", () => {
  const words = ["priority", "interface", "version"];
  expect(nearest("Priorty", words)).toBe("priority");
  expect(nearest("inter-face", words)).toBe("interface");
  expect(nearest("colour", words)).toBeUndefined();
  expect(nearest("x".repeat(10_000), words)).toBeUndefined();
});

test("text without variables is filled in to be what it was", () => {
  const some = fc.string({ unit: fc.constantFrom("$", "{", "}", "A", ":", "-"), maxLength: 12 });
  fc.assert(
    fc.property(some, (text) => {
      expect(fillVariables(withoutVariables(text), { A: "1" })).toEqual({ text, complaints: [] });
    }),
  );
});
