import { expect, test } from "vitest";
import { rehearse } from "../../src/vrrp/rehearsal.ts";

async function pausesOf(authenticated: boolean): Promise<number> {
  let pauses = 0;
  await rehearse(async () => {
    pauses++;
  }, authenticated);
  return pauses;
}

test("a rehearsal plays its rounds, gives the loop back between them, and ends", async () => {
  const plain = await pausesOf(false);
  expect(plain).toBeGreaterThan(10);
  expect(await pausesOf(true)).toBe(2 * plain);
});
