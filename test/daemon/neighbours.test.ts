import { expect, test } from "vitest";
import { meetNeighbours, otherDaemons } from "../../src/daemon/neighbours.ts";

test("other daemons are found by their abstract sockets, padded or not", () => {
  const table = [
    "Num       RefCount Protocol Flags    Type St Inode Path",
    "0000000038c7b0b3: 00000002 00000000 00010000 0001 01 706943 @viprd/901@@@@@@@@",
    "0000000038c7b0b4: 00000002 00000000 00010000 0001 01 706944 @viprd/77",
    "0000000038c7b0b4: 00000003 00000000 00000000 0001 03 706948 @viprd/77",
    "0000000038c7b0b5: 00000002 00000000 00010000 0001 01 706945 @viprd/55",
    "0000000038c7b0b6: 00000002 00000000 00010000 0001 01 706946 /run/viprd/control.sock",
    "0000000038c7b0b7: 00000002 00000000 00010000 0001 01 706947 @viprd/x",
    "",
  ].join("\n");
  expect(otherDaemons(table, 55)).toEqual([77, 901]);
});

test("a process that has made itself known is not its own neighbour", async () => {
  expect(await meetNeighbours()).not.toContain(process.pid);
});
