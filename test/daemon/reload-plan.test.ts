import { expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { diffConfigs } from "../../src/config/diff.ts";
import { describeDiff, hasWork, needsRestart, reloadMessages, startMessages } from "../../src/daemon/reload-plan.ts";
import type { InstanceParameters, ProcessParameters } from "../../src/vrrp/parameters.ts";
import { parameters } from "./support.ts";

const ordinary: ProcessParameters = { nice: 0, lockMemory: false };

function config(instances: readonly InstanceParameters[], process = ordinary): Config {
  return { global: { scriptSecurity: true, routerId: "lb1", process }, instances, checks: [] };
}

const before = config([parameters("a"), parameters("b"), parameters("c")]);

test.each([
  ["order", [parameters("c"), parameters("b"), parameters("a")], ordinary, "nothing to change", []],
  [
    "priority",
    [parameters("a", { priority: 7, advertisementInterval: 500 }), parameters("b"), parameters("c")],
    ordinary,
    "changed a (priority, advertisement interval)",
    ["a"],
  ],
  ["name", [parameters("a"), parameters("b"), parameters("d")], ordinary, "removed c; added d", ["-c", "d"]],
  ["emptiness", [], ordinary, "removed a, b, c", ["-a", "-b", "-c"]],
  ["nice value", before.instances, { nice: -5, lockMemory: true }, "changed global nice, lock memory", ["process"]],
])("a file with another %s", (_what, instances, process, told, messages) => {
  const after = config(instances, process);
  const diff = diffConfigs(before, after);
  expect(describeDiff(diff)).toBe(told);
  const names = reloadMessages(diff, after).map((message) => {
    if (message.type === "configure") return message.parameters.name;
    return message.type === "remove" ? `-${message.name}` : message.type;
  });
  expect(names).toEqual(messages);
});

test("removals come first, of routers that become others as well, additions last", () => {
  const after = config([parameters("new"), parameters("b", { vrid: 7 }), parameters("c")], { ...ordinary, nice: -1 });
  expect(reloadMessages(diffConfigs(before, after), after)).toMatchObject([
    { type: "remove", name: "a" },
    { type: "remove", name: "b" },
    { type: "process", parameters: { nice: -1 } },
    { type: "configure", parameters: { name: "b", vrid: 7 } },
    { type: "configure", parameters: { name: "new" } },
  ]);
});

test("what is held whatever the roles are is sent whole: before the instances, and after those that change", () => {
  const statics = { addresses: [], routes: [], rules: [], lease: 5000 };
  const after = { ...config([parameters("a", { priority: 7 }), parameters("new")]), statics };
  const diff = diffConfigs(config([parameters("a")]), after);
  expect(describeDiff(diff)).toBe("changed a (priority); changed static addresses, routes or rules; added new");
  expect(reloadMessages(diff, after).map(({ type }) => type)).toEqual(["configure", "statics", "configure"]);
  expect(startMessages(after, []).map(({ type }) => type)).toEqual([
    "process",
    "statics",
    "configure",
    "configure",
    "start",
  ]);
  const { statics: _, ...without } = after;
  expect(reloadMessages(diffConfigs(after, without), without)).toEqual([{ type: "statics" }]);
});

test("a process that holds something has work, without any instance too", () => {
  expect([hasWork(config([])), hasWork(before)]).toEqual([false, true]);
  expect(hasWork({ ...config([]), statics: { addresses: [], routes: [], rules: [] } })).toBe(true);
});

test("sync groups are told as a whole, before instances change, and only when one of them differs", () => {
  const edge = { name: "edge", members: ["b", "c"], track: [], memberWeights: false };
  const grouped: Config = { ...before, groups: [edge] };
  const diff = diffConfigs(before, grouped);
  expect(reloadMessages(diff, grouped)).toEqual([{ type: "groups", groups: [edge] }]);
  expect(describeDiff(diff)).toBe("changed sync group edge");
  const more: Config = { ...config([parameters("b"), parameters("c"), parameters("new")]), groups: [edge] };
  expect(reloadMessages(diffConfigs(grouped, more), more).map(({ type }) => type)).toEqual(["remove", "configure"]);
  expect(reloadMessages(diffConfigs(grouped, before), before)).toEqual([{ type: "groups", groups: [] }]);
  const [process, groups] = startMessages(grouped, []);
  expect([process?.type, groups]).toEqual(["process", { type: "groups", groups: [edge] }]);
});

test("a long list of names is cut", () => {
  const many = Array.from({ length: 10 }, (_, i) => parameters(`i${i}`));
  expect(describeDiff(diffConfigs(config([]), config(many)))).toBe("added i0, i1, i2, i3, i4, i5, i6, i7 and 2 more");
});

test("a start sends the process settings first and the order to start last", () => {
  expect(startMessages(before, []).map(({ type }) => type)).toEqual([
    "process",
    "configure",
    "configure",
    "configure",
    "start",
  ]);
});

test("what a running process cannot take back needs a restart; what it can still take on does not", () => {
  const special = { nice: -5, lockMemory: true, realtimePriority: 50 };
  expect(needsRestart(special, ordinary)).toEqual(["vrrp_rt_priority", "vrrp_no_swap"]);
  expect(needsRestart(ordinary, special)).toEqual([]);
});
