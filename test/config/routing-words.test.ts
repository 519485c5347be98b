// The words of routes and rules mean what they mean to ip: the bytes it sends to the kernel are the judge.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeRoute, type Route } from "../../src/netlink/route.ts";
import { decodeRule } from "../../src/netlink/rule.ts";
import { toRoute } from "../../src/vrrp/route-entry.ts";
import { toRule } from "../../src/vrrp/rule-entry.ts";
import { type Golden, goldens } from "../support/netlink-golden.ts";
import { loadTexts } from "./support.ts";

/** What ip was called with, less the command itself. */
function wordsOf({ name }: Golden): { readonly words: string; readonly family6: boolean } {
  const text = readFileSync(new URL(`../golden/netlink/${name}.txt`, import.meta.url), "utf8");
  const [, option, words = ""] = /^# [a-z-]+; ip (-6 )?(?:route|rule) add ([^;]+);/.exec(text) ?? [];
  return { words, family6: option !== undefined };
}

function resolved(key: "static_routes" | "static_rules", words: string) {
  const { config, problems } = loadTexts({ "viprd.yaml": `${key}: [${JSON.stringify(words)}]` });
  expect(problems).toEqual([]);
  return config?.statics;
}

/** Who put it there is our own business; ip leaves IPv6's default metric to the kernel. */
function comparable(route: Route): Record<string, unknown> {
  const { protocol: _, ...rest } = route;
  return { ...rest, metric: route.family === 6 && route.metric === 0 ? 1024 : route.metric };
}

test.each(goldens("new-route"))("$name: the same route as ip's", (golden) => {
  const { words, family6 } = wordsOf(golden);
  const theirs = decodeRoute(golden.bytes.subarray(16));
  if (theirs === undefined) throw new Error(golden.name);
  const index = Math.max(...theirs.nextHops.map((hop) => hop.index));
  const [route] = resolved("static_routes", `${family6 ? "inet6 " : ""}${words}`)?.routes ?? [];
  const ours = route && toRoute(route, () => index);
  if (ours === undefined || typeof ours === "string") throw new Error(ours);
  expect(comparable(ours)).toEqual(comparable(theirs));
  if (/\bproto\b/.test(words)) expect(ours.protocol).toBe(theirs.protocol);
});

test.each(goldens("new-rule"))("$name: the same rule as ip's", (golden) => {
  // Who put a rule there is not ours to choose.
  const { words, family6 } = wordsOf(golden);
  const [rule] =
    resolved("static_rules", `${family6 ? "inet6 " : ""}${words.replace(/ protocol \d+/, "")}`)?.rules ?? [];
  const { protocol: _, ...theirs } = decodeRule(golden.bytes.subarray(16)) ?? {};
  const { protocol, ...ours } = rule === undefined ? { protocol: 0 } : toRule(rule);
  expect(protocol).toBe(112);
  expect(ours).toEqual(theirs);
});
