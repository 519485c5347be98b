import fc from "fast-check";
import { expect, test } from "vitest";
import { readEscapes, writeEscapes } from "../../src/config/check-tcp-steps.ts";

test("escapes stand for bytes, everything else for itself", () => {
  expect(readEscapes("PING\\r\\n")).toEqual({ hex: Buffer.from("PING\r\n").toString("hex") });
  expect(readEscapes("\\x00\\xFf\\0\\t\\\\n")).toEqual({ hex: "00ff00095c6e" });
  expect(readEscapes("é\r\n")).toEqual({ hex: "c3a90d0a" });
});

test.each(["\\q", "end\\", "\\x4", "\\xzz"])("%s is no escape", (text) => {
  expect(readEscapes(text)).toHaveProperty("complaint");
});

test("any bytes can be written, and are read back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const hex = Buffer.from(bytes).toString("hex");
      expect(readEscapes(writeEscapes(hex))).toEqual({ hex });
    }),
  );
});
