import { expect, test } from "vitest";
import { type DaemonEvent, EventLog } from "../../src/daemon/event-log.ts";
import { eventStream, formatEvent } from "../../src/daemon/event-stream.ts";

function event(message: string): DaemonEvent {
  return { at: "2026-01-01T00:00:00.000Z", type: "reload", message };
}

function filled(count: number, capacity: number): EventLog {
  const log = new EventLog(capacity);
  for (let i = 1; i <= count; i++) log.append(event(String(i)));
  return log;
}

test.each([
  ["from the beginning", 0, [3, 4, 5]],
  ["from one that is kept", 4, [5]],
  ["from one long gone", 1, [3, 4, 5]],
  ["from the last", 5, []],
  ["from an earlier life of the daemon", 99, [3, 4, 5]],
])("of five events three are kept: %s", (_where, since, ids) => {
  expect(
    filled(5, 3)
      .since(since)
      .map(({ id }) => id),
  ).toEqual(ids);
});

test("a reader hears what comes after it, until it ends", () => {
  const log = filled(1, 3);
  const heard: number[] = [];
  const end = log.subscribe(({ id }) => heard.push(id));
  log.append(event("a"));
  end();
  log.append(event("b"));
  expect(heard).toEqual([2]);
});

test("an event is one server-sent event with its id and type", () => {
  expect(formatEvent({ id: 7, event: event("done") })).toBe(
    'id: 7\nevent: reload\ndata: {"at":"2026-01-01T00:00:00.000Z","type":"reload","message":"done"}\n\n',
  );
});

test("a reader that does not keep up is dropped, and nothing is kept for it", async () => {
  const log = new EventLog(10);
  const response = eventStream(log, 0, new AbortController().signal);
  const long = "x".repeat(100_000);
  for (let i = 0; i < 20; i++) log.append(event(long));
  const text = await response.text();
  expect(text.length).toBeLessThan(1_300_000);
  expect(text).toContain("id: 10\n");
  expect(text).not.toContain("id: 20\n");
});

test("streams end when the daemon stops", async () => {
  const stop = new AbortController();
  const response = eventStream(filled(2, 10), 1, stop.signal);
  stop.abort();
  expect(await response.text()).toBe(`: viprd\n\n${formatEvent({ id: 2, event: event("2") })}`);
});
