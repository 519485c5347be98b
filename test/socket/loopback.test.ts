/** A socket as the rest of viprd uses it, on the loopback interface. */
import { expect, onTestFinished, test } from "vitest";
import { AF_INET, SO_TIMESTAMPNS, SOCK_DGRAM, SOL_SOCKET } from "../../src/socket/constants.ts";
import { Socket } from "../../src/socket/socket.ts";

test("thin", async () => {
  const a = Socket.open(AF_INET, SOCK_DGRAM, 0, "udp");
  onTestFinished(() => a.close());
  a.bind(Uint8Array.of(2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0));
  a.setOption(SOL_SOCKET, SO_TIMESTAMPNS, 1);
  expect(a.send(Uint8Array.of(1, 2, 3), a.name())).toBe(3);
  const got = await new Promise<number[]>((resolve) =>
    a.watch(() => {
      const batch = a.receive();
      if (typeof batch !== "number") resolve([...batch.bytes(0)]);
    }),
  );
  expect(got).toEqual([1, 2, 3]);
});
