import { describe, expect, test } from "vitest";
import { agent } from "../../src/healthchecks/agent.ts";
import { readAgentReply } from "../../src/healthchecks/agent-words.ts";
import { judge, newHealth } from "../../src/healthchecks/health.ts";
import { closedPort, common, listen, probeOnce } from "./support.ts";

async function ask(says: string, limit?: number, send?: string) {
  const heard: string[] = [];
  const port = await listen((socket) => {
    if (send === undefined) socket.write(says);
    else
      socket.once("data", (data) => {
        heard.push(String(data));
        socket.write(says);
      });
  });
  const outcome = await probeOnce(
    agent,
    { type: "agent", host: "127.0.0.1", port, ...(send === undefined ? {} : { send }) },
    limit,
  );
  return { ...outcome, reason: outcome.reason.replace(`agent 127.0.0.1:${port}: `, ""), heard };
}

describe("what an agent says", () => {
  test.each<[string, object]>([
    ["75%", { advice: { weightPercent: 75 } }],
    ["weight:75%", { advice: { weightPercent: 75 } }],
    ["weight:30", { advice: { weight: 30 } }],
    ["up 50% maxconn:30", { up: true, advice: { weightPercent: 50, maxConnections: 30 } }],
    ["UP,Ready\t10%", { up: true, advice: { mode: "ready", weightPercent: 10 } }],
    ["drain", { advice: { mode: "drain" } }],
    ["maint", { advice: { mode: "maint" } }],
    ["down#no disk left, sorry", { up: false, why: "no disk left, sorry" }],
    ["stopped", { up: false }],
    ["fail # 100% full", { up: false, why: "100% full" }],
    ["50% 20", { advice: { weightPercent: 50 }, unknown: ["20"] }],
    ["weight:99999 1001% maxconn: 7", { unknown: ["weight:99999", "1001%", "maxconn:", "7"] }],
    ["", {}],
  ])("%s", (line, expected) => {
    expect(readAgentReply(line)).toEqual({ advice: {}, why: "", unknown: [], ...expected });
  });
});

test("a weight alone leaves up and down as they are", async () => {
  expect(await ask("75%\n")).toEqual({
    ok: true,
    reason: 'says "75%"',
    advice: { weightPercent: 75 },
    undecided: true,
    heard: [],
  });
});

test("down and up are verdicts, with the reason behind the #", async () => {
  expect(await ask("down maint#full\r\nup\n")).toMatchObject({
    ok: false,
    reason: 'says "down maint#full": full',
    advice: { mode: "maint" },
  });
  expect(await ask("up ready\n")).toMatchObject({ ok: true, advice: { mode: "ready" } });
  expect(await ask("up ready hurray\n")).toMatchObject({
    ok: true,
    reason: 'says "up ready hurray", of which nothing is known here: hurray',
  });
});

test("it is asked with what is configured", async () => {
  const { heard, ok } = await ask("up\n", 1000, Buffer.from("load?\n").toString("hex"));
  expect([heard, ok]).toEqual([["load?\n"], true]);
});

test("a closed port, silence, an early end and words of something else decide nothing", async () => {
  const port = await closedPort();
  const refused = await probeOnce(agent, { type: "agent", host: "127.0.0.1", port });
  expect(refused).toEqual({
    ok: false,
    undecided: true,
    reason: `agent 127.0.0.1:${port}: connect: refused (ECONNREFUSED)`,
  });
  expect(await ask("", 30)).toMatchObject({ undecided: true, reason: "answer: no answer within 30 ms" });
  expect(await ask("220 mail.test\r\n")).toMatchObject({
    undecided: true,
    reason: 'answer: "220 mail.test" has no word of an agent',
  });
  const early = await listen((socket) => void socket.end());
  const outcome = await probeOnce(agent, { type: "agent", host: "127.0.0.1", port: early });
  expect([outcome.undecided, outcome.ok]).toEqual([true, false]);
  const open = await listen((socket) => void socket.end("drain"));
  expect(await probeOnce(agent, { type: "agent", host: "127.0.0.1", port: open })).toMatchObject({
    advice: { mode: "drain" },
  });
});

test("only the agent undoes what it did", () => {
  const parameters = common({ initial: "up" });
  const at = 0;
  const result = { latency: 1, at, reason: "" };
  const health = [
    { ...result, ok: false, advice: { mode: "drain" as const, weightPercent: 50 } },
    { ...result, ok: false, undecided: true as const },
    { ...result, ok: true, undecided: true as const, advice: { weightPercent: 80 } },
  ].reduce((before, each) => judge(parameters, before, each), newHealth(parameters, at));
  expect([health.up, health.advice]).toEqual([false, { mode: "drain", weightPercent: 80 }]);
  const after = judge(parameters, health, { ...result, ok: true, advice: { mode: "ready" } });
  expect([after.up, after.advice]).toEqual([true, { mode: "ready", weightPercent: 80 }]);
});
