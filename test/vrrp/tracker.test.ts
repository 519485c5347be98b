import { describe, expect, test } from "vitest";
import type { Entry } from "../../src/vrrp/deadlines.ts";
import type { Host } from "../../src/vrrp/host.ts";
import type { FlapDamping, Track } from "../../src/vrrp/parameters.ts";
import { Tracker, type TrackerSettings } from "../../src/vrrp/tracker.ts";
import { Verdicts } from "../../src/vrrp/verdicts.ts";

const check = (name: string, changes: Partial<Track> = {}): Track => ({
  what: "check",
  name,
  reverse: false,
  ...changes,
});
const port = (name: string, changes: Partial<Track> = {}): Track => ({ ...check(name, changes), what: "interface" });

class World {
  now = 0;
  readonly verdicts = new Verdicts();
  readonly links = new Map<string, { up: boolean; running: boolean }>();
  alarm: number | undefined;
  entry: Entry | undefined;
  heard = 0;
  readonly tracker: Tracker;

  constructor(settings: TrackerSettings, running = false) {
    const host: Partial<Host> = {
      now: () => this.now,
      verdicts: this.verdicts,
      linkByName: (name) => {
        const link = this.links.get(name);
        return link && { ...link, index: 2, name, flags: 0, mtu: 1500, type: 1, mac: new Uint8Array(6) };
      },
      scheduleBackground: (entry, at) => {
        this.entry = entry;
        this.alarm = at;
      },
    };
    this.tracker = new Tracker(host as Host, () => {
      this.heard++;
      this.tracker.look();
    });
    this.tracker.configure(settings, running);
    this.tracker.look();
  }

  say(name: string, up: boolean | null, reason = ""): void {
    this.verdicts.set(name, { up, reason });
  }

  set(name: string, up: boolean, running = up): void {
    this.links.set(name, { up, running });
    this.tracker.look();
  }

  get changes(): number[] {
    return this.tracker.changes.map(({ change }) => change);
  }
}

describe("a fault", () => {
  test("each tracked object tells its own reason, and clears it itself", () => {
    const world = new World({ track: [port("eth1"), check("haproxy")] });
    expect(world.tracker.faults).toEqual(["interface eth1 does not exist", "check haproxy has no result yet"]);
    world.set("eth1", false);
    world.say("haproxy", false, "connection refused");
    expect(world.tracker.faults).toEqual(["interface eth1 is down", "check haproxy failed: connection refused"]);
    world.set("eth1", true, false);
    expect(world.tracker.faults[0]).toBe("interface eth1 has no carrier");
    world.set("eth1", true);
    expect(world.tracker.faults).toEqual(["check haproxy failed: connection refused"]);
    world.say("haproxy", true, "200 OK");
    expect(world.tracker.faults).toEqual([]);
  });

  test("with reverse it fails while it is up", () => {
    const world = new World({ track: [check("maintenance", { reverse: true })] });
    world.say("maintenance", true, "file exists");
    expect(world.tracker.faults).toEqual(["check maintenance is up: file exists"]);
    world.say("maintenance", false);
    expect(world.tracker.faults).toEqual([]);
  });
});

describe("without a result", () => {
  const track = [check("a"), check("b", { priority: -60 }), check("c", { priority: 20 })];

  test("a router that starts counts it as failing", () => {
    const world = new World({ track });
    expect(world.tracker.faults).toEqual(["check a has no result yet"]);
    expect(world.changes).toEqual([0, -60, 0]);
  });

  test("a router that runs goes on as before, and believes the first result", () => {
    const world = new World({ track }, true);
    expect(world.tracker.faults).toEqual([]);
    expect(world.changes).toEqual([0, 0, 20]);
    world.say("a", false);
    world.say("b", false);
    world.say("c", false);
    expect(world.tracker.faults).toEqual(["check a failed"]);
    expect(world.changes).toEqual([0, -60, 0]);
  });

  test("a check that starts anew keeps its last result until there is another", () => {
    const world = new World({ track: [check("a")] });
    world.say("a", false, "timeout");
    world.say("a", null);
    expect(world.tracker.faults).toEqual(["check a failed: timeout"]);
    world.say("a", true);
    world.say("a", null);
    expect(world.tracker.faults).toEqual([]);
  });
});

describe("a changed configuration", () => {
  test("entries that stay keep what is known of them", () => {
    const world = new World({ track: [check("a"), check("b")] });
    world.say("a", true);
    world.say("b", false, "timeout");
    for (const name of ["a", "b"]) world.say(name, null);
    world.tracker.configure({ track: [check("b", { priority: -10 }), check("a")] }, true);
    world.tracker.look();
    expect([world.tracker.faults, world.changes]).toEqual([[], [-10, 0]]);
  });
});

describe("two interfaces", () => {
  test("are two: both down count twice, and one that is deleted does not raise the priority", () => {
    const world = new World({ track: [port("eth1", { priority: -50 }), port("eth2", { priority: -60 })] });
    world.set("eth1", true);
    world.set("eth2", true);
    expect(world.changes).toEqual([0, 0]);
    world.set("eth1", false);
    world.set("eth2", false);
    expect(world.changes).toEqual([-50, -60]);
    world.links.delete("eth1");
    world.tracker.look();
    expect(world.changes).toEqual([-50, -60]);
    world.set("eth2", true);
    expect(world.changes).toEqual([-50, 0]);
  });
});

describe("what flaps", () => {
  const flapDamping: FlapDamping = { suppress: 2, reuse: 1, halfLife: 30_000 };

  function flap(world: World, times: number): void {
    for (let i = 0; i < times; i++) {
      world.now += 100;
      world.say("a", false, "timeout");
      world.now += 100;
      world.say("a", true);
    }
  }

  test("is held as failing, visibly, and believed again by itself", () => {
    const world = new World({ track: [check("a")], flapDamping });
    world.say("a", true);
    flap(world, 2);
    expect(world.tracker.faults).toEqual([]);
    flap(world, 1);
    expect(world.tracker.faults).toEqual(["check a flaps and is held as failing"]);
    const [status] = world.tracker.status();
    expect(status).toMatchObject({ up: true, failing: true, priority: null });
    expect(status?.penalty).toBeCloseTo(2.98, 1);
    expect((status?.held_ms ?? 0) + world.now).toBeCloseTo(world.alarm ?? 0, -1);
    world.now = world.alarm ?? 0;
    const { heard } = world;
    world.entry?.fire(world.now);
    expect(world.heard).toBe(heard + 1);
    expect([world.tracker.faults, world.alarm]).toEqual([[], undefined]);
  });

  test("keeps the lower priority: a negative change stays, a positive one stays away", () => {
    const world = new World({ track: [check("a", { priority: -60 })], flapDamping });
    const other = new World({ track: [check("a", { priority: 20 })], flapDamping });
    for (const each of [world, other]) {
      each.say("a", true);
      flap(each, 3);
    }
    expect([world.changes, other.changes]).toEqual([[-60], [0]]);
  });

  test("may be the own interface; while it is down its reason is told elsewhere", () => {
    const world = new World({ track: [], flapDamping, ownInterface: "eth0" });
    world.set("eth0", true);
    for (let i = 0; i < 3; i++) {
      world.set("eth0", false);
      expect(world.tracker.faults).toEqual([]);
      world.set("eth0", true);
    }
    expect(world.tracker.faults).toEqual(["interface eth0 flaps and is held as failing"]);
    expect(world.changes).toEqual([]);
  });

  test("keeps its penalty over a reload that leaves its entry, and loses it with the damping", () => {
    const world = new World({ track: [check("a")], flapDamping });
    world.say("a", true);
    flap(world, 3);
    world.tracker.configure({ track: [check("b"), check("a")], flapDamping }, true);
    expect(world.tracker.faults).toEqual(["check a flaps and is held as failing"]);
    world.tracker.configure({ track: [check("a")] }, true);
    world.tracker.look();
    expect([world.tracker.faults, world.alarm]).toEqual([[], undefined]);
  });
});
