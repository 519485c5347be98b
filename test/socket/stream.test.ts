import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { ErrorNumber } from "../../src/socket/errno.ts";
import { sockaddrIn, sockaddrIn6 } from "../../src/socket/sockaddr.ts";
import { Stream } from "../../src/socket/stream.ts";

const loopback = Uint8Array.of(127, 0, 0, 1);

async function listen(onConnection: (socket: Socket) => void, host = "127.0.0.1"): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    onConnection(socket);
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

/** Sends `request` when the stream is open; resolves with what came and how it ended. */
function talk(sockaddr: Uint8Array, request = "", source?: Uint8Array) {
  return new Promise<{ said: string; errno: number }>((resolve) => {
    let said = "";
    const stream = new Stream(
      sockaddr,
      {
        opened: () => stream.send(Buffer.from(request)),
        data(bytes) {
          said += Buffer.from(bytes).toString();
        },
        ended: (errno) => resolve({ said, errno }),
      },
      { source },
    );
  });
}

test("what is asked is answered, up to the end of the stream", async () => {
  const port = await listen((socket) => socket.on("data", (data) => socket.end(`you said ${data}`)));
  expect(await talk(sockaddrIn(loopback, port), "hello")).toEqual({ said: "you said hello", errno: 0 });
  expect(Stream.count).toBe(0);
});

test("over IPv6", async () => {
  const port = await listen((socket) => socket.on("data", (data) => socket.end(data)), "::1");
  const address = new Uint8Array(16);
  address[15] = 1;
  expect(await talk(sockaddrIn6(address, 0, port), "six")).toEqual({ said: "six", errno: 0 });
});

test("much that comes at once is heard whole", async () => {
  const much = "x".repeat(1_000_000);
  const port = await listen((socket) => socket.on("data", () => socket.end(much)));
  const { said, errno } = await talk(sockaddrIn(loopback, port), "?");
  expect([said.length, said === much, errno]).toEqual([much.length, true, 0]);
});

test("what was said before a reset is heard, and then the reset", async () => {
  const port = await listen((socket) =>
    socket.on("data", () => socket.write("half", () => setTimeout(() => socket.resetAndDestroy(), 20))),
  );
  expect(await talk(sockaddrIn(loopback, port), "?")).toEqual({ said: "half", errno: ErrorNumber.ECONNRESET });
});

test("from the address that is given", async () => {
  const port = await listen((socket) => socket.on("data", () => socket.end(String(socket.remoteAddress))));
  const source = sockaddrIn(Uint8Array.of(127, 0, 0, 9), 0);
  expect(await talk(sockaddrIn(loopback, port), "?", source)).toEqual({ said: "127.0.0.9", errno: 0 });
});

test("from the address that is given, over IPv6", async () => {
  const port = await listen((socket) => socket.on("data", () => socket.end(String(socket.remoteAddress))), "::1");
  const address = new Uint8Array(16);
  address[15] = 1;
  const source = sockaddrIn6(address, 0, 0);
  expect(await talk(sockaddrIn6(address, 0, port), "?", source)).toEqual({ said: "::1", errno: 0 });
});

test("what the kernel refuses at once, and later, is told after the constructor", async () => {
  const elsewhere = sockaddrIn(Uint8Array.of(192, 0, 2, 1), 0);
  const refused = await talk(sockaddrIn(loopback, 9), "", elsewhere);
  expect(refused).toEqual({ said: "", errno: ErrorNumber.EADDRNOTAVAIL });
  expect((await talk(new Uint8Array(4))).errno).toBe(ErrorNumber.EINVAL);
  const port = await listen(() => {});
  const closed = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
  expect(closed).not.toBe(port);
  expect((await talk(sockaddrIn(loopback, closed))).errno).toBe(ErrorNumber.ECONNREFUSED);
});

test("one that is closed hears nothing, and its server a reset", async () => {
  let reset = "";
  const port = await listen((socket) =>
    socket.on("error", (error: NodeJS.ErrnoException) => (reset = error.code ?? "")),
  );
  const heard: string[] = [];
  await new Promise<void>((resolve) => {
    const stream = new Stream(sockaddrIn(loopback, port), {
      opened: () =>
        setTimeout(() => {
          stream.close();
          stream.close();
          resolve();
        }, 20),
      data: () => heard.push("data"),
      ended: () => heard.push("ended"),
    });
  });
  const early = new Stream(sockaddrIn(loopback, port), {
    opened: () => heard.push("opened"),
    data: () => heard.push("data"),
    ended: () => heard.push("ended"),
  });
  early.close();
  await expect.poll(() => reset).toBe("ECONNRESET");
  expect([heard, Stream.count]).toEqual([[], 0]);
});

test("a number that is given to another stream meanwhile brings it no event of the first one", async () => {
  const port = await listen((socket) => socket.on("data", (data) => socket.end(data)));
  const heard: string[] = [];
  // All are open in the same turn; the first to be told closes the others and opens as many anew.
  const first: Stream[] = [];
  const later: Promise<{ said: string; errno: number }>[] = [];
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 20; i++) {
      first.push(
        new Stream(sockaddrIn(loopback, port), {
          opened() {
            heard.push(`opened ${i}`);
            for (const stream of first) stream.close();
            for (let n = 0; n < 20; n++) later.push(talk(sockaddrIn(loopback, port), `later ${n}`));
            resolve();
          },
          data: () => heard.push("data"),
          ended: () => heard.push("ended"),
        }),
      );
    }
  });
  expect((await Promise.all(later)).map(({ said, errno }) => `${said} ${errno}`)).toEqual(
    Array.from({ length: 20 }, (_, n) => `later ${n} 0`),
  );
  expect([heard.length, Stream.count]).toEqual([1, 0]);
});

test("no descriptor but that of a stream is closed", async () => {
  const { addon } = await import("../../src/socket/addon.ts");
  const poll = addon().pollOpen();
  expect([addon().streamClose(poll, 1), addon().streamClose(poll, poll)].every((result) => result < 0)).toBe(true);
  expect(addon().close(poll)).toBe(0);
});

test("a port that nobody listens on is refused, though the one picked here be the same", async () => {
  const port = await listen(() => {});
  const free = port === 65_535 ? port - 1 : port + 1;
  const itself = sockaddrIn(loopback, free);
  expect(await talk(itself, "", itself)).toEqual({ said: "", errno: ErrorNumber.ECONNREFUSED });
  const six = new Uint8Array(16);
  six[15] = 1;
  const itself6 = sockaddrIn6(six, 0, free);
  expect(await talk(itself6, "", itself6)).toEqual({ said: "", errno: ErrorNumber.ECONNREFUSED });
  expect(Stream.count).toBe(0);
});
