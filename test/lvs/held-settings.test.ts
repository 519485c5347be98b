import { expect, test } from "vitest";
import { type Changed, HeldSettings } from "../../src/lvs/held-settings.ts";

const conntrack = "net.ipv4.vs.conntrack";
const threshold = "net.ipv4.vs.sync_threshold";

interface Kernel {
  readonly values: Map<string, string>;
  /** What it makes of a value; throws to refuse one. */
  take: (name: string, value: string) => string;
  writes: string[];
}

function kernel(values: Readonly<Record<string, string>>): Kernel {
  return { values: new Map(Object.entries(values)), take: (_, value) => value, writes: [] };
}

/** `left` is the note of an earlier run. */
function held(
  on: Kernel,
  left: readonly Changed[] = [],
): { settings: HeldSettings; told: string[]; saved: () => readonly Changed[] } {
  const told: string[] = [];
  let saved = left;
  const settings = new HeldSettings({
    store: {
      read: (names) => Promise.resolve(new Map([...on.values].filter(([name]) => names.includes(name)))),
      write: (name, value) => {
        // The note comes first: whatever is written is in it, unless it is what was there before.
        const noted = saved.find((entry) => entry.name === name);
        expect([noted?.set, noted?.before]).toContain(value);
        on.writes.push(`${name}=${value}`);
        on.values.set(name, on.take(name, value));
        return Promise.resolve();
      },
    },
    save: (changed) => {
      saved = changed;
    },
    tell: (level, message) => told.push(`${level}: ${message}`),
    label: (name) => name,
    missing: () => "ip_vs is not loaded",
  });
  settings.recover(left);
  return { settings, told, saved: () => saved };
}

test("what is asked for is set, noted before, told, and put back", async () => {
  const on = kernel({ [conntrack]: "0" });
  const { settings, told, saved } = held(on);
  expect(await settings.apply({ [conntrack]: "1" }, 0)).toEqual({ problems: [], written: [conntrack] });
  expect(on.values.get(conntrack)).toBe("1");
  expect(saved()).toEqual([{ name: conntrack, before: "0", set: "1" }]);
  expect(await settings.release()).toEqual([]);
  expect(on.values.get(conntrack)).toBe("0");
  expect(saved()).toEqual([]);
  expect(told).toEqual([
    `info: ${conntrack} set to 1; it was 0, and will be again when viprd ends`,
    `info: ${conntrack} is 0 again`,
  ]);
});

test("what is so already is neither written nor put back; numbers may be separated by tabs", async () => {
  const on = kernel({ [threshold]: "3\t50", [conntrack]: "1" });
  const { settings, saved } = held(on);
  await settings.apply({ [threshold]: "3 50", [conntrack]: "1" }, 0);
  await settings.release();
  expect(on.writes).toEqual([]);
  expect(saved()).toEqual([]);
});

test("after a kill the next run knows what was before: it keeps what is wanted still and puts the rest back", async () => {
  const on = kernel({ [conntrack]: "0", [threshold]: "3\t50" });
  const first = held(on);
  await first.settings.apply({ [conntrack]: "1", [threshold]: "5 100" }, 0);
  const second = held(on, first.saved());
  await second.settings.apply({ [conntrack]: "1" }, 0);
  expect(Object.fromEntries(on.values)).toEqual({ [conntrack]: "1", [threshold]: "3 50" });
  expect(second.settings.changed).toEqual([{ name: conntrack, before: "0", set: "1" }]);
  await second.settings.release();
  expect(on.values.get(conntrack)).toBe("0");
});

test("a kill between note and write leaves nothing to put back", async () => {
  const on = kernel({ [conntrack]: "0" });
  const { settings } = held(on, [{ name: conntrack, before: "0", set: "1" }]);
  await settings.apply({}, 0);
  expect(on.writes).toEqual([]);
  expect(settings.changed).toEqual([]);
});

test("what somebody else has changed since is not put back", async () => {
  const on = kernel({ [conntrack]: "0" });
  const { settings } = held(on);
  await settings.apply({ [conntrack]: "1" }, 0);
  on.values.set(conntrack, "2");
  await settings.release();
  expect(on.values.get(conntrack)).toBe("2");
});

test("another wish keeps what was there before viprd", async () => {
  const on = kernel({ [threshold]: "3 50" });
  const { settings } = held(on);
  await settings.apply({ [threshold]: "5 100" }, 0);
  await settings.apply({ [threshold]: "7 70" }, 1);
  await settings.release();
  expect(on.values.get(threshold)).toBe("3 50");
});

test("what somebody else changes is set again and told; who insists is left alone for growing times, and told", async () => {
  const on = kernel({ [conntrack]: "0" });
  const { settings, told } = held(on);
  await settings.apply({ [conntrack]: "1" }, 0);
  const meddle = (now: number) => {
    on.values.set(conntrack, "0");
    return settings.apply({ [conntrack]: "1" }, now);
  };
  expect((await meddle(1000)).written).toEqual([conntrack]);
  expect(told.at(-1)).toBe(`warn: somebody changed ${conntrack} to 0; it is 1 again`);
  expect(await meddle(2000)).toEqual({
    problems: [`${conntrack} is 0 instead of 1: somebody else keeps changing it`],
    written: [],
  });
  expect((await meddle(11_000)).written).toEqual([conntrack]);
  expect((await meddle(22_000)).written).toEqual([]);
  // Whoever reads the file anew wants it applied.
  settings.again();
  expect((await meddle(22_100)).written).toEqual([conntrack]);
  expect((await meddle(23_000)).written).toEqual([]);
  expect((await meddle(32_200)).written).toEqual([conntrack]);
  // Long peace is forgiven.
  expect((await meddle(10_000_000)).written).toEqual([conntrack]);
  expect((await meddle(10_010_000)).written).toEqual([conntrack]);
  await settings.release();
  expect(on.values.get(conntrack)).toBe("0");
});

test("a value that the kernel bends is undone, told, and not tried again before something changes", async () => {
  const on = kernel({ [conntrack]: "0" });
  on.take = (_, value) => (value === "7" ? "1" : value);
  const { settings, saved } = held(on);
  const problem = `${conntrack} is 0 and cannot be set to 7: the kernel made 1 of it`;
  expect((await settings.apply({ [conntrack]: "7" }, 0)).problems).toEqual([problem]);
  expect(on.values.get(conntrack)).toBe("0");
  expect(saved()).toEqual([]);
  expect((await settings.apply({ [conntrack]: "7" }, 5000)).problems).toEqual([problem]);
  expect(on.writes.splice(0)).toEqual([`${conntrack}=7`, `${conntrack}=0`]);
  settings.again();
  expect((await settings.apply({ [conntrack]: "7" }, 6000)).problems).toEqual([problem]);
  expect(on.writes).toEqual([`${conntrack}=7`, `${conntrack}=0`]);
  expect((await settings.apply({ [conntrack]: "1" }, 9000)).problems).toEqual([]);
  expect(on.values.get(conntrack)).toBe("1");
});

test("a value that the kernel refuses leaves what is set as it is", async () => {
  const on = kernel({ [conntrack]: "0" });
  const { settings } = held(on);
  await settings.apply({ [conntrack]: "1" }, 0);
  on.take = () => {
    throw new Error("EINVAL: invalid argument");
  };
  expect((await settings.apply({ [conntrack]: "x" }, 1)).problems).toEqual([
    `${conntrack} is 1 and cannot be set to x: EINVAL: invalid argument`,
  ]);
  on.take = (_, value) => value;
  await settings.release();
  expect(on.values.get(conntrack)).toBe("0");
});

test("a setting that is not there yet is told, and set when it comes", async () => {
  const on = kernel({});
  const { settings } = held(on);
  expect((await settings.apply({ [conntrack]: "1" }, 0)).problems).toEqual([
    `${conntrack} cannot be set to 1: ip_vs is not loaded`,
  ]);
  on.values.set(conntrack, "0");
  expect((await settings.apply({ [conntrack]: "1" }, 1)).written).toEqual([conntrack]);
});
