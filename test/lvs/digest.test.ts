import { expect, test } from "vitest";
import { digest } from "../../src/lvs/digest.ts";
import type { VirtualServerParameters } from "../../src/lvs/parameters.ts";
import { server, service, virtualServer } from "./samples.ts";

const [one, two] = [server(), server({ address: "192.0.2.22" })];
const base = virtualServer({ servers: [one, two] });

test.each<[string, Partial<VirtualServerParameters>]>([
  ["another order", { servers: [two, one] }],
  ["another weight", { servers: [one, { ...two, weight: 2 }] }],
  ["another method", { servers: [one, { ...two, forwarding: { method: "dr" } }] }],
  ["another threshold", { servers: [one, { ...two, upperThreshold: 100 }] }],
  ["a server less", { servers: [one] }],
  ["another scheduler", { scheduler: { ...base.scheduler, name: "mh" } }],
  ["another flag", { scheduler: { ...base.scheduler, fallback: true } }],
  ["persistence", { persistence: { timeout: 300_000, prefixLength: 32 } }],
  ["another port", { services: [service({ port: 81 })] }],
  ["a mark", { services: [{ kind: "mark", family: 4, mark: 7 }] }],
  ["a sorry server", { sorryServer: { ...two, inhibit: false } }],
])("%s: the table is another one", (_name, of) => {
  expect(digest({ ...base, ...of })).not.toBe(digest(base));
});

test("names, checks and what is done in case of failure are each director's own", () => {
  expect(
    digest({ ...base, name: "other", quorum: 2, onDrift: "report", servers: [one, { ...two, checks: ["ping"] }] }),
  ).toBe(digest(base));
  expect(digest(base)).toMatch(/^[0-9a-f]{12}$/);
});
