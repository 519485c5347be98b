import { expect, test } from "vitest";
import { Lines } from "../../src/daemon/lines.ts";

function linesOf(...pieces: readonly string[]): string[] {
  const taken: string[] = [];
  const lines = new Lines(10, (line) => taken.push(line));
  for (const piece of pieces) lines.push(piece);
  lines.end();
  return taken;
}

test("pieces become lines, and the last one needs no end", () => {
  expect(linesOf("a", "b\nc\r\n", "\n", "d")).toEqual(["ab", "c", "d"]);
});

test("of a line that does not end the beginning is kept, and the next one is whole", () => {
  expect(linesOf("0123456", "789abc", "d".repeat(1e6), "e\nf\n")).toEqual(["0123456789", "f"]);
});
