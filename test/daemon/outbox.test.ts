import { expect, test } from "vitest";
import type { Batch } from "../../src/daemon/messages.ts";
import { type Channel, Outbox } from "../../src/daemon/outbox.ts";

/** A supervisor that reads when it is told to. */
class SlowChannel implements Channel {
  connected = true;
  readonly batches: Batch<number>[] = [];
  readonly #unread: (() => void)[] = [];

  send(message: unknown, _handle?: undefined, _options?: undefined, sent?: () => void): boolean {
    this.batches.push(message as Batch<number>);
    if (sent !== undefined) this.#unread.push(sent);
    return true;
  }

  read(): void {
    for (const sent of this.#unread.splice(0)) sent();
  }

  get received(): number[] {
    return this.batches.flatMap(({ messages }) => messages);
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("what comes up in one turn of the loop is sent together, in order, 64 at a time", async () => {
  const channel = new SlowChannel();
  const outbox = new Outbox<number>(undefined, channel);
  for (let i = 0; i < 100; i++) outbox.send(i);
  expect(channel.batches).toEqual([]);
  await turn();
  expect(channel.batches.map(({ messages }) => messages.length)).toEqual([64, 36]);
  expect(channel.received).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

test("for a supervisor that stands still messages are dropped and counted; when it reads again it is told of the gap", async () => {
  const channel = new SlowChannel();
  let gaps = 0;
  const outbox = new Outbox<number>(() => gaps++, channel);
  for (let i = 0; i < 5003; i++) outbox.send(i);
  await turn();
  expect([outbox.dropped, channel.received.length, gaps]).toEqual([3, 5000, 0]);
  channel.read();
  expect(gaps).toBe(1);
  outbox.send(7);
  await turn();
  channel.read();
  expect([channel.received.at(-1), gaps]).toEqual([7, 1]);
});

test("without a supervisor nothing is kept", async () => {
  const channel = new SlowChannel();
  channel.connected = false;
  const outbox = new Outbox<number>(undefined, channel);
  for (let turns = 0; turns < 3; turns++) {
    for (let i = 0; i < 4000; i++) outbox.send(i);
    await turn();
  }
  expect([outbox.dropped, channel.batches.length]).toEqual([0, 0]);
});

test("many are made and sent as fast as they are read, and others come in between", async () => {
  const channel = new SlowChannel();
  const outbox = new Outbox<number>(undefined, channel);
  let made = 0;
  function* many(): Generator<number> {
    while (made < 6000) yield made++;
  }
  const sending = outbox.sendAll(many());
  await turn();
  await turn();
  expect([made, channel.received.length]).toEqual([64, 64]);
  outbox.send(-1);
  channel.read();
  await turn();
  expect([made, channel.received.at(64)]).toEqual([128, -1]);
  for (let turns = 0; turns < 200 && channel.received.length < 6001; turns++) {
    channel.read();
    await turn();
  }
  channel.read();
  await sending;
  expect([outbox.dropped, channel.received.filter((each) => each >= 0)]).toEqual([
    0,
    Array.from({ length: 6000 }, (_, i) => i),
  ]);
});
