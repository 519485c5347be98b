import { expect, test } from "vitest";
import { Faults } from "../../src/vrrp/faults.ts";

test("each source sets and clears its own causes, whatever the order", () => {
  const faults = new Faults();
  expect([faults.any, faults.reasons()]).toEqual([false, []]);
  faults.set("tracked", ["interface eth1 is down", "check web failed: timeout"]);
  faults.set("surroundings", ["interface eth0 is down"]);
  faults.set("tracked", ["check web failed: timeout"]);
  expect(faults.reasons()).toEqual(["check web failed: timeout", "interface eth0 is down"]);
  faults.set("surroundings", []);
  expect(faults.reasons()).toEqual(["check web failed: timeout"]);
  faults.set("tracked", []);
  expect(faults.any).toBe(false);
});

test("a cause that is added again is told once, and the rest can be asked for without one source", () => {
  const faults = new Faults();
  faults.add("kernel", "address 192.0.2.1 refused");
  faults.add("kernel", "address 192.0.2.1 refused");
  faults.add("kernel", "address 192.0.2.2 refused");
  faults.set("group", ["sync group edge: inside: interface eth1 is down"]);
  expect(faults.reasons("group")).toEqual(["address 192.0.2.1 refused", "address 192.0.2.2 refused"]);
});
