/** What an instance tells as it happens: notify scripts are run from this. */
import { expect, test } from "vitest";
import type { VrrpEvent } from "../../src/vrrp/status.ts";
import { Lab } from "../support/simulated-lab.ts";

function told(events: readonly VrrpEvent[]) {
  return events.map((event) => {
    if (event.type === "transition") {
      return [event.from, event.to, event.priority, ...(event.ended === true ? ["ended"] : [])].join(" ");
    }
    return event.type === "warning" ? [event.type, event.fault].join(" ") : event.type;
  });
}

test("every transition tells the priority in force, and the last one that it is the last", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, { priority: 200 });
  lab.start();
  lab.run(10_000);
  node.reload({ priority: 150 });
  node.kernel.setCarrier(false);
  lab.run(1000);
  node.kernel.setCarrier(true);
  lab.run(10_000);
  node.stop();
  expect(told(node.host.events)).toEqual([
    "initialize backup 200",
    "backup active 200",
    "active initialize 150",
    "initialize backup 150",
    "backup active 150",
    "active initialize 150 ended",
  ]);
});

test("an instance that cannot start tells why, though it changes no state", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, { priority: 200 });
  node.kernel.setCarrier(false);
  lab.start();
  lab.run(1000);
  node.kernel.setCarrier(true);
  lab.run(1000);
  expect(told(node.host.events)).toEqual(["warning interface eth0 has no carrier", "initialize backup 200"]);
});
