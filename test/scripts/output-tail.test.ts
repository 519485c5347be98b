import fc from "fast-check";
import { expect, test } from "vitest";
import { OutputTail } from "../../src/scripts/output-tail.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("little is kept whole, without white space at the end", () => {
  const tail = new OutputTail(100);
  tail.append(bytes("one\n"));
  tail.append(bytes("two \n\n"));
  expect(tail.text()).toBe("one\ntwo");
});

test("of much the end is kept, and that something is missing shows", () => {
  const tail = new OutputTail(8);
  for (let i = 0; i < 10_000; i++) tail.append(bytes(`${i} `));
  expect(tail.text()).toBe("…98 9999");
});

test("a character that the cut went through is left out", () => {
  const tail = new OutputTail(4);
  tail.append(bytes("aäöx"));
  expect(tail.text()).toBe("…öx");
});

test("bytes that are no text do no harm", () => {
  const tail = new OutputTail(4);
  tail.append(new Uint8Array([0x80, 0x80, 0x80, 0x80, 0x80]));
  expect(tail.text()).toBe("…\ufffd\ufffd\ufffd\ufffd");
});

test("in whatever pieces it comes, the last bytes are kept", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 30 })), (pieces) => {
      const tail = new OutputTail(10);
      for (const piece of pieces) tail.append(bytes(piece));
      const all = pieces.join("");
      expect(tail.text()).toBe(all.length > 10 ? `…${all.slice(-10)}` : all);
    }),
  );
});
