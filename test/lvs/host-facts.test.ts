import { release } from "node:os";
import { expect, test } from "vitest";
import { readHostFacts } from "../../src/lvs/host-facts.ts";
import { sysctlStore } from "../../src/lvs/sysctl-store.ts";

test("the host is read as it is, with or without IPVS", async () => {
  const facts = await readHostFacts(["ip_vs_no_such_scheduler"]);
  expect(facts.release).toBe(release());
  expect(["missing", "unknown"]).toContain(facts.modules.get("ip_vs_no_such_scheduler"));
  expect(facts.settings.get("net.ipv4.ip_forward")).toMatch(/^[01]$/);
  expect([...facts.reversePath.keys()]).not.toContain("lo");
  for (const value of facts.reversePath.values()) expect([0, 1, 2]).toContain(value);
  if (facts.connTabBits !== undefined) expect(facts.connTabBits).toBeGreaterThanOrEqual(8);
});

test("a setting that is not there is missing, and writing it fails with the reason", async () => {
  const name = "net.ipv4.no_such_setting";
  expect([...(await sysctlStore.read([name, "net.ipv4.ip_forward"])).keys()]).toEqual(["net.ipv4.ip_forward"]);
  await expect(sysctlStore.write(name, "1")).rejects.toThrow(/ENOENT|EACCES|EROFS/);
});
