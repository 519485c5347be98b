import { describe, expect, test } from "vitest";
import { Lab } from "../support/simulated-lab.ts";
import { dualStack, type instance, virtualAddress } from "../vrrp/samples.ts";

function alone(changes: Parameters<typeof instance>[0] = {}): { lab: Lab; node: ReturnType<Lab["node"]> } {
  const lab = new Lab();
  const node = lab.node("alone", 11, changes);
  node.start();
  lab.run(10_000);
  return { lab, node };
}

describe("a reload", () => {
  test("without a change changes nothing at all", () => {
    const { lab, node } = alone(dualStack());
    const announced = lab.lan.announcements.length;
    const changes: string[] = [];
    const onChange = node.kernel.onChange;
    node.kernel.onChange = (change) => {
      changes.push(`${change.object} ${change.kind}`);
      onChange(change);
    };
    const before = lab.adverts({ family: 4 }).at(-1)?.at ?? 0;
    node.reload({});
    lab.run(900);
    expect(changes.filter((change) => change !== "address changed")).toEqual([]);
    expect(node.transitions).toHaveLength(2);
    expect(lab.lan.announcements).toHaveLength(announced);
    lab.run(100);
    expect((lab.adverts({ family: 4 }).at(-1)?.at ?? 0) - before).toBeCloseTo(1000, 6);
  });

  test("that comes again and again lets no address run out", () => {
    const { lab, node } = alone({ lease: 5000 });
    const removed: number[] = [];
    const onChange = node.kernel.onChange;
    node.kernel.onChange = (change) => {
      if (change.object === "address" && change.kind === "removed") removed.push(lab.now);
      onChange(change);
    };
    for (let i = 0; i < 15; i++) {
      node.reload({ priority: 100 + (i % 2) });
      lab.run(1000);
    }
    expect(removed).toEqual([]);
    expect(node.held).toEqual(["192.0.2.1"]);
  });

  test("that adds and removes addresses touches only those, and the next advertisement lists them", () => {
    const { lab, node } = alone({ virtualAddresses: [virtualAddress("192.0.2.1"), virtualAddress("192.0.2.2")] });
    const removed: string[] = [];
    const onChange = node.kernel.onChange;
    node.kernel.onChange = (change) => {
      if (change.object === "address" && change.kind === "removed") removed.push(change.address.address.join("."));
      onChange(change);
    };
    const before = lab.now;
    node.reload({
      virtualAddresses: [virtualAddress("192.0.2.2"), virtualAddress("192.0.2.3"), virtualAddress("192.0.2.4")],
    });
    expect(removed).toEqual(["192.0.2.1"]);
    lab.run(100);
    expect(node.held).toEqual(["192.0.2.2", "192.0.2.3", "192.0.2.4"]);
    const announced = lab.lan.announcements.filter(({ at }) => at >= before).map(({ address }) => address);
    expect(announced).toEqual(expect.arrayContaining(["192.0.2.3", "192.0.2.4"]));
    expect(announced).not.toContain("192.0.2.1");
    lab.run(1000);
    expect(lab.adverts().at(-1)).toMatchObject({ count: 3 });
    expect(node.transitions).toHaveLength(2);
  });

  test("that changes the VRID starts another virtual router: the old one resigns with its own list", () => {
    const { lab, node } = alone();
    node.reload({ vrid: 52, virtualAddresses: [virtualAddress("192.0.2.2"), virtualAddress("192.0.2.3")] });
    expect(lab.adverts({ priority: 0 })).toMatchObject([{ vrid: 51, count: 1 }]);
    expect(node.kernel.holds("192.0.2.1")).toBe(false);
    lab.run(3610);
    expect(lab.adverts({ vrid: 52 })).toMatchObject([{ count: 2 }]);
  });
});

test("a reload without a change moves nothing even where two address owners have settled who gives way", () => {
  const lab = new Lab();
  const [a, b] = [lab.node("a", 11, { priority: 255 }), lab.node("b", 12, { priority: 255 })];
  lab.start();
  lab.run(5000);
  expect(lab.actives).toEqual(["b"]);
  const before = [a.transitions.length, b.transitions.length];
  a.reload({});
  lab.run(5000);
  expect([a.transitions.length, b.transitions.length]).toEqual(before);
});
