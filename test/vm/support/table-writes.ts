/** Watches what is asked of the kernel's table: every netlink message of the director's namespace is captured. */
import { readFileSync } from "node:fs";
import { sleep } from "../../support/lab-process.ts";
import type { Farm } from "./farm.ts";

/** Requests of the family IPVS that change something. */
const names: Readonly<Record<number, string>> = {
  1: "new service",
  2: "set service",
  3: "delete service",
  5: "new destination",
  6: "set destination",
  7: "delete destination",
  9: "new daemon",
  10: "delete daemon",
  12: "set timeouts",
  16: "zero",
  17: "flush",
};

/** From now on; the returned function ends the watch and tells the changes in their order. */
export async function tableWrites(f: Farm): Promise<() => Promise<string[]>> {
  const file = `${f.directory}/netlink.pcap`;
  await f.shell("director", "ip link add watch type nlmon; ip link set watch up");
  const id = Number(/ID: (0x[0-9a-f]+)/i.exec(await f.shell("director", "genl ctrl get name IPVS"))?.[1]);
  // Room for 64 MiB: each message takes a quarter of one there, and a busy machine reads late.
  const room = ["-B", "65536"];
  const capture = f.run(
    "director",
    "tcpdump",
    "-i",
    "watch",
    "-U",
    "--immediate-mode",
    ...room,
    "-Z",
    "root",
    "-w",
    file,
  );
  await capture.waitLine((line) => line.includes("listening on"), 30_000);
  return async () => {
    // What was asked last is written as well.
    await sleep(1_000);
    await capture.stop();
    const lost = capture.lines.find((line) => /^[1-9]\d* packets? dropped/.test(line.text));
    if (lost !== undefined) throw new Error(`the watch has missed some: ${lost.text}`);
    return changes(readFileSync(file), id);
  };
}

/** The file begins with 24 bytes, a record with 16, a message in it with 16 that are no netlink. */
function changes(capture: Buffer, family: number): string[] {
  const found: string[] = [];
  let at = 24;
  while (at + 16 <= capture.length) {
    const end = at + 16 + capture.readUInt32LE(at + 8);
    for (let message = at + 32; message + 20 <= end; ) {
      const length = capture.readUInt32LE(message);
      const request = (capture.readUInt16LE(message + 6) & 1) !== 0;
      if (request && capture.readUInt16LE(message + 4) === family) {
        const name = names[capture.readUInt8(message + 16)];
        if (name !== undefined) found.push(name);
      }
      message += Math.max(16, (length + 3) & ~3);
    }
    at = end;
  }
  return found;
}
