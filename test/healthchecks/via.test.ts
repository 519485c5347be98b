import { expect, test } from "vitest";
import { failedThrough, targetThrough, type Via } from "../../src/healthchecks/via.ts";

const nat: Via = { host: "192.0.2.10", port: 80, mark: 0x7669_0001, server: "10.0.0.1" };
const direct: Via = { ...nat, direct: true };
const active = { has: (address: string) => address === "192.0.2.10", acceptsLocal: () => false };
const failed = { ok: false, reason: "connect 10.0.0.1:80 through 192.0.2.10:80: no answer within 500 ms" };

test("an answer that this host drops because it has the address itself says nothing about the server", () => {
  expect(failedThrough(direct, failed, active)).toEqual({
    ok: false,
    undecided: true,
    reason: `${failed.reason}; answers from 192.0.2.10 are dropped here, as no interface has accept_local=1`,
  });
});

test.each([
  ["of a server that answers through the director", nat, active],
  ["on a host without the address", direct, { ...active, has: () => false }],
  ["on a host that accepts such answers", direct, { ...active, acceptsLocal: () => true }],
])("a failure %s is one", (_, via, host) => {
  expect(failedThrough(via, failed, host)).toEqual(failed);
});

test("a success stays one", () => {
  const outcome = { ok: true, reason: "connected" };
  expect(failedThrough(direct, outcome, active)).toEqual(outcome);
});

test("without a way to the server there is no address to ask from", async () => {
  // A link-local address without its link.
  const via = { host: "2001:db8::10", port: 80, mark: 1, server: "fe80::1" };
  await expect(targetThrough(via)).rejects.toThrow("EINVAL");
});
