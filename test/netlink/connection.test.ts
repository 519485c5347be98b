import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection, type ConnectionOptions, NetlinkError, type Request } from "../../src/netlink/connection.ts";
import { NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST } from "../../src/netlink/constants.ts";
import { answer, done, FakeKernel, message, microtasks, part } from "../support/netlink-kernel.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

const body = (...bytes: number[]) => Uint8Array.of(...bytes);

function connect(answerTo?: ConstructorParameters<typeof FakeKernel>[0], options?: ConnectionOptions) {
  const kernel = new FakeKernel(answerTo);
  return { kernel, connection: new Connection(kernel, options) };
}

/** Answers as rtnetlink does: refusals always, success only where asked for. */
function obedient(errnoOf: (first: number) => number) {
  return ({ flags, sequence, body }: { flags: number; sequence: number; body: Uint8Array }) => {
    const errno = errnoOf(body[0] ?? 0);
    return errno !== 0 || (flags & NLM_F_ACK) !== 0 ? [answer(sequence, errno, errno === 0 ? "" : "because")] : [];
  };
}

function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => (error instanceof Error ? error.message : error));
}

test("a post is sent before it returns and reported later, never from inside", () => {
  const { kernel, connection } = connect(obedient(() => 0));
  const heard: unknown[] = [];
  connection.post("add it", 20, NLM_F_CREATE, body(1), (error) => heard.push(error));
  expect([kernel.requests.length, heard]).toEqual([1, []]);
  expect(kernel.requests[0]).toMatchObject({ type: 20, flags: NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE });
  kernel.turn();
  expect(heard).toEqual([undefined]);
});

test("many go fifty to a system call, the last of each acknowledged, and each has its own error", () => {
  const { kernel, connection } = connect(obedient((first) => (first === 7 || first === 49 || first === 110 ? 17 : 0)));
  const heard: (string | undefined)[] = [];
  const requests = Array.from({ length: 120 }, (_, i): Request => {
    return {
      operation: () => `add ${i}`,
      type: 20,
      flags: 0,
      body: body(i),
      done: (error) => heard.push(error?.message),
    };
  });
  connection.postMany(requests);
  expect(kernel.sends).toEqual([50, 50, 20]);
  expect(kernel.requests.filter(({ flags }) => (flags & NLM_F_ACK) !== 0).map(({ body }) => body[0])).toEqual([
    49, 99, 119,
  ]);
  kernel.turn();
  expect(heard.length).toBe(120);
  expect(heard.flatMap((error, i) => (error === undefined ? [] : [[i, error]]))).toEqual(
    [7, 49, 110].map((i) => [i, `add ${i}: EEXIST (because)`]),
  );
});

test("large requests are not packed beyond what one send may hold", () => {
  const { kernel, connection } = connect(obedient(() => 0));
  const requests = Array.from(
    { length: 5 },
    (): Request => ({ operation: "x", type: 1, flags: 0, body: new Uint8Array(15_000) }),
  );
  connection.postMany(requests);
  expect(kernel.sends).toEqual([2, 2, 1]);
});

test("a request resolves or rejects with the operation, the code and the kernel's words", async () => {
  const { connection } = connect(obedient((first) => first));
  await connection.request("add this", 20, 0, body(0));
  const error = await connection.request("add that", 20, 0, body(17)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(NetlinkError);
  expect(error).toMatchObject({
    message: "add that: EEXIST (because)",
    code: "EEXIST",
    errno: 17,
    operation: "add that",
  });
});

test("EPERM names the capability", () => {
  expect(new NetlinkError("add address 192.0.2.1/24 to eth0", 1).message).toBe(
    "add address 192.0.2.1/24 to eth0: EPERM (needs CAP_NET_ADMIN)",
  );
});

test("a failure nobody asked to hear of goes to onError", () => {
  const errors: string[] = [];
  const { kernel, connection } = connect(
    obedient((first) => first),
    { onError: (error) => errors.push(error.message) },
  );
  connection.post("delete it", 21, 0, body(99));
  kernel.turn();
  expect(errors).toEqual(["delete it: EADDRNOTAVAIL (because)"]);
});

test("settle waits for the last report", async () => {
  const held: Uint8Array[] = [];
  const { kernel, connection } = connect(({ sequence }) => {
    held.push(answer(sequence, 0));
    return [];
  });
  const order: string[] = [];
  connection.post("x", 1, 0, body(), () => order.push("done"));
  void connection.settle().then(() => order.push("settled"));
  await microtasks();
  expect(order).toEqual([]);
  kernel.put(...held);
  kernel.turn();
  await microtasks();
  expect(order).toEqual(["done", "settled"]);
});

test("a reply with content comes back as a copy", async () => {
  const { connection } = connect(({ sequence }) => [message(16, 0, sequence, body(1, 2, 3)), answer(sequence, 0)]);
  expect(await connection.get("look up", 18, body())).toEqual(body(1, 2, 3));
});

test("when the receive queue overran, what is still unanswered fails instead of counting as success", async () => {
  const { kernel, connection } = connect();
  const heard: (string | undefined)[] = [];
  const request = (i: number): Request => ({
    operation: `add ${i}`,
    type: 20,
    flags: 0,
    body: body(i),
    done: (error) => heard.push(error?.code),
  });
  connection.postMany([request(0), request(1), request(2)]);
  connection.postMany([request(3)]);
  connection.postMany([request(4)]);
  kernel.putError(105);
  kernel.put(answer(4, 0));
  kernel.turn();
  await microtasks();
  expect(heard).toEqual(["ENOBUFS", "ENOBUFS", "ENOBUFS", undefined, "ENOBUFS"]);
});

test("messages of other processes are not answers", async () => {
  const { kernel, connection } = connect();
  const heard: unknown[] = [];
  connection.post("x", 1, 0, body(), (error) => heard.push(error?.code));
  kernel.putFrom(77, answer(1, 13));
  kernel.put(answer(1, 0));
  kernel.turn();
  expect(heard).toEqual([undefined]);
});

test("a send that fails is the failure of what it carried", async () => {
  const { kernel, connection } = connect();
  kernel.refuse = -105;
  expect(await outcome(connection.request("add it", 20, 0, body()))).toBe("add it: ENOBUFS");
  expect(await outcome(connection.dump("list them", 22, body()))).toBe("list them: ENOBUFS");
});

test("a kernel that never answers fails what waits, and its late answer is nobody's", async () => {
  const { kernel, connection } = connect();
  const results = [
    outcome(connection.request("add it", 20, 0, body())),
    outcome(connection.dump("list them", 22, body())),
    outcome(connection.dump("list others", 18, body())),
  ];
  await vi.advanceTimersByTimeAsync(5000);
  const why = "ETIMEDOUT (no answer from the kernel within 5000 ms)";
  expect(await Promise.all(results)).toEqual([`add it: ${why}`, `list them: ${why}`, `list others: ${why}`]);
  const second = connection.request("add more", 20, 0, body());
  kernel.put(answer(1, 13), answer(kernel.requests.at(-1)?.sequence ?? 0, 0));
  kernel.turn();
  await second;
});

test("answers that waited while the process was suspended count", async () => {
  const { kernel, connection } = connect();
  const result = outcome(connection.request("add it", 20, 0, body()));
  await microtasks();
  kernel.put(answer(1, 0));
  await vi.advanceTimersByTimeAsync(5000);
  expect(await result).toBeUndefined();
});

test("a dump that begins while waiting answers are read at the end of the limit is not one without an answer", async () => {
  const { kernel, connection } = connect();
  const entries = outcome(connection.dump("list", 18, body()));
  kernel.put(part(16, 1, NLM_F_DUMP_INTR, body(1)), done(1));
  await vi.advanceTimersByTimeAsync(5000);
  expect(kernel.requests.length).toBe(2);
  kernel.put(part(16, 2, 0, body(5)), done(2));
  kernel.turn();
  expect(await entries).toEqual([body(5)]);
});

test("a dump that begins at the end of the limit and is never answered fails a limit later", async () => {
  const { kernel, connection } = connect();
  const entries = outcome(connection.dump("list", 18, body()));
  kernel.put(part(16, 1, NLM_F_DUMP_INTR, body(1)), done(1));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await entries).toBe("list: ETIMEDOUT (no answer from the kernel within 5000 ms)");
});

test("no more than a bounded number wait for answers", () => {
  const { connection } = connect();
  const heard: (string | undefined)[] = [];
  for (let i = 0; i < 4097; i++) connection.post(`x${i}`, 1, 0, body(), (error) => heard.push(error?.message));
  connection.close();
  return microtasks().then(() => {
    expect(heard.length).toBe(4097);
    expect(heard[0]).toBe("x4096: ENOBUFS (too many requests unanswered)");
    expect(heard[1]).toBe("x0: ECANCELED (connection closed)");
  });
});

test("after close everything is refused", async () => {
  const { kernel, connection } = connect();
  connection.close();
  connection.close();
  expect(kernel.closed).toBe(true);
  expect(await outcome(connection.request("add it", 20, 0, body()))).toBe("add it: ECANCELED (connection closed)");
  expect(await outcome(connection.dump("list them", 22, body()))).toBe("list them: ECANCELED (connection closed)");
});

test("a dump gathers the parts, and a second one waits for the first to end", async () => {
  const { kernel, connection } = connect();
  const first = connection.dump("list", 18, body());
  const second = connection.dump("list again", 22, body());
  expect(kernel.requests).toMatchObject([{ type: 18, flags: NLM_F_REQUEST | NLM_F_DUMP, sequence: 1 }]);
  kernel.put(part(16, 1, 0, body(1, 0, 0, 0), body(2, 0, 0, 0)), part(16, 1, 0, body(3, 0, 0, 0)), done(1));
  kernel.turn();
  expect((await first).map((bytes) => bytes[0])).toEqual([1, 2, 3]);
  expect(kernel.requests.length).toBe(2);
  kernel.put(done(2));
  kernel.turn();
  expect(await second).toEqual([]);
});

test("a dump that was interrupted is taken again from the start", async () => {
  const { kernel, connection } = connect(({ sequence }) =>
    sequence === 1
      ? [part(16, 1, 0, body(1)), part(16, 1, NLM_F_DUMP_INTR, body(2)), done(1)]
      : [part(16, sequence, 0, body(5)), done(sequence)],
  );
  const entries = connection.dump("list", 18, body());
  kernel.turn();
  expect((await entries).map((bytes) => bytes[0])).toEqual([5]);
});

test("a dump that is interrupted each time fails after a bounded number of attempts", async () => {
  const { kernel, connection } = connect(({ sequence }) => [done(sequence, 0, NLM_F_DUMP_INTR)]);
  const entries = outcome(connection.dump("list", 18, body()));
  kernel.turn();
  expect(await entries).toBe("list: EINTR (the table changed during each of 8 attempts)");
  expect(kernel.requests.length).toBe(8);
});

test.each([
  ["refused outright", (kernel: FakeKernel) => kernel.put(answer(1, 95, "not here")), "list: EOPNOTSUPP (not here)"],
  ["failing at its end", (kernel: FakeKernel) => kernel.put(part(16, 1, 0, body(1)), done(1, 12)), "list: ENOMEM"],
  [
    "with a part that was cut",
    (kernel: FakeKernel) => {
      kernel.putTruncated(part(16, 1, 0, body(1)));
      kernel.put(done(1));
    },
    "list: EMSGSIZE (an entry is larger than the receive buffer)",
  ],
])("a dump %s rejects", async (_name, feed, expected) => {
  const { kernel, connection } = connect();
  const entries = outcome(connection.dump("list", 18, body()));
  feed(kernel);
  kernel.turn();
  expect(await entries).toBe(expected);
});

test("posts go on while a dump runs", async () => {
  const { kernel, connection } = connect();
  const entries = connection.dump("list", 18, body());
  const heard: unknown[] = [];
  connection.post("x", 20, 0, body(), (error) => heard.push(error));
  kernel.put(part(16, 1, 0, body(1)), answer(2, 0), part(16, 1, 0, body(2)), done(1));
  kernel.turn();
  expect([(await entries).length, heard]).toEqual([2, [undefined]]);
});
