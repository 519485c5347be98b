import { expect, test } from "vitest";
import { rehearse } from "../../src/vrrp/rehearsal.ts";

test("a rehearsal plays its rounds, gives the loop back between them, and ends", async () => {
  let pauses = 0;
  await rehearse(async () => {
    pauses++;
  });
  expect(pauses).toBeGreaterThan(10);
});
