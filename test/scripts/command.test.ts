import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkArgv, formatCommand, splitCommand } from "../../src/scripts/command.ts";

describe("a command in one text is split as a shell would", () => {
  test.each<[string, string[]]>([
    ["/usr/bin/true", ["/usr/bin/true"]],
    ["  /bin/a \t b\nc  ", ["/bin/a", "b", "c"]],
    ["/bin/a 'b c' \"d e\"", ["/bin/a", "b c", "d e"]],
    ["/bin/a b' 'c\"d\"e", ["/bin/a", "b cde"]],
    ["/bin/a '' \"\"", ["/bin/a", "", ""]],
    ["/bin/a b\\ c \\' \\\\", ["/bin/a", "b c", "'", "\\"]],
    ['/bin/a "b\\"c" "\\$x \\`y \\\\ \\n"', ["/bin/a", 'b"c', "$x `y \\ \\n"]],
    ["/bin/a 'x|y;z&<>()$`' \"(\"", ["/bin/a", "x|y;z&<>()$`", "("]],
    ["/bin/a * ? ~ # {b} [c]", ["/bin/a", "*", "?", "~", "#", "{b}", "[c]"]],
    ["killall -0 haproxy", ["killall", "-0", "haproxy"]],
    ["'/srv/my scripts/x' ü", ["/srv/my scripts/x", "ü"]],
  ])("%s", (text, argv) => {
    expect(splitCommand(text)).toEqual(argv);
  });
});

describe("what cannot be meant is refused with a reason", () => {
  test.each<[string, string]>([
    ["", "names no program"],
    ["   ", "names no program"],
    ["''", "names no program"],
    ["/bin/a 'b", "has an open ' quote"],
    ['/bin/a "b', 'has an open " quote'],
    ["/bin/a \\", "ends with a backslash"],
    [
      "/bin/a || exit 1",
      'has an unquoted |, and no shell runs that would understand it: quote it, or run a shell, as in ["/bin/sh", "-c", "…"]',
    ],
    ["bin/a", "begins with bin/a: write the program's path from / on, or its name alone"],
    ["./a", "begins with ./a: write the program's path from / on, or its name alone"],
    ["/bin/a \0", "has a NUL character"],
  ])("%j", (text, reason) => {
    expect(splitCommand(text)).toBe(reason);
  });

  test.each([..."|&;<>()$`"])("an unquoted %s", (character) => {
    expect(splitCommand(`/bin/a x${character}y`)).toContain(`has an unquoted ${character},`);
  });
});

test("a list of words is taken as it is", () => {
  expect(checkArgv(["/bin/a", "b c", "| $x", ""])).toEqual(["/bin/a", "b c", "| $x", ""]);
  expect(checkArgv([])).toBe("names no program");
});

test("what is shown of a command reads back as the same command", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" })), (rest) => {
      const argv = ["/bin/a", ...rest.map((word) => word.replaceAll("\0", ""))];
      expect(splitCommand(formatCommand(argv))).toEqual(argv);
    }),
  );
});

test("no text makes it throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const result = splitCommand(text);
      expect(typeof result === "string" || result.length > 0).toBe(true);
    }),
  );
});
