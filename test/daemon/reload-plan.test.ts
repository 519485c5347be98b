import { expect, test } from "vitest";
import { needsRestart } from "../../src/daemon/configuration.ts";
import { describePlan, planReload, reloadMessages, startMessages } from "../../src/daemon/reload-plan.ts";
import type { InstanceParameters, ProcessParameters } from "../../src/vrrp/parameters.ts";
import { parameters } from "./support.ts";

const ordinary: ProcessParameters = { nice: 0, lockMemory: false };

function configuration(instances: readonly InstanceParameters[], process = ordinary) {
  return { process, instances };
}

const before = configuration([parameters("a"), parameters("b"), parameters("c")]);

test.each([
  ["nothing", [parameters("c"), parameters("b"), parameters("a")], ordinary, "nothing to change", []],
  ["a priority", [parameters("a", { priority: 7 }), parameters("b"), parameters("c")], ordinary, "changed a", ["a"]],
  ["a name", [parameters("a"), parameters("b"), parameters("d")], ordinary, "removed c; added d", ["-c", "d"]],
  ["everything", [], ordinary, "removed a, b, c", ["-a", "-b", "-c"]],
  [
    "a key that was left out",
    [parameters("a"), parameters("b", { maxLearnedInterval: 5000 }), parameters("c")],
    ordinary,
    "changed b",
    ["b"],
  ],
  ["the nice value", before.instances, { nice: -5, lockMemory: false }, "changed process settings", ["process"]],
])("a file with another %s", (_what, instances, process, told, messages) => {
  const plan = planReload(before, configuration(instances, process));
  expect(describePlan(plan)).toBe(told);
  const names = reloadMessages(plan).map((message) => {
    if (message.type === "configure") return message.parameters.name;
    return message.type === "remove" ? `-${message.name}` : message.type;
  });
  expect(names).toEqual(messages);
});

test("a long list of names is cut", () => {
  const many = Array.from({ length: 10 }, (_, i) => parameters(`i${i}`));
  expect(describePlan(planReload(configuration([]), configuration(many)))).toBe(
    "added i0, i1, i2, i3, i4, i5, i6, i7 and 2 more",
  );
});

test("a start sends the process settings first and the order to start last", () => {
  expect(startMessages(before).map(({ type }) => type)).toEqual([
    "process",
    "configure",
    "configure",
    "configure",
    "start",
  ]);
});

test("changed process settings are named, set or left out", () => {
  const after = configuration([], { nice: 0, lockMemory: true, realtimePriority: 50 });
  expect(needsRestart(before, after)).toEqual(["lockMemory", "realtimePriority"]);
  expect(needsRestart(after, before)).toEqual(["lockMemory", "realtimePriority"]);
});
