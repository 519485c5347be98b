// Sends raw Ethernet frames out of one interface. Runs inside a namespace; takes one JSON order a line on standard input:
// { "frames": ["hex", …], "count": n, "interval": ms } sends n frames, going round the list, one each interval
// (fractions allowed), and answers { "sent": n, "refused": n } when done.
import { createInterface } from "node:readline";
import { Socket } from "../../dist/socket/socket.js";

const AF_PACKET = 17;
const SOCK_RAW = 3;
const ETH_P_ALL_SEND_ONLY = 0;

const interfaceIndex = Number(process.argv[2]);
const socket = Socket.open(AF_PACKET, SOCK_RAW, ETH_P_ALL_SEND_ONLY, "open packet socket to send frames");
const destination = new Uint8Array(20);
new DataView(destination.buffer).setUint16(0, AF_PACKET, true);
new DataView(destination.buffer).setUint32(4, interfaceIndex, true);
destination[11] = 6;

async function send({ frames, count, interval }) {
  const bytes = frames.map((hex) => Uint8Array.from(Buffer.from(hex, "hex")));
  const start = performance.now();
  let sent = 0;
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const due = start + i * interval;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (socket.send(bytes[i % bytes.length], destination) > 0) sent++;
    else refused++;
  }
  return { sent, refused };
}

let queue = Promise.resolve();
createInterface({ input: process.stdin }).on("line", (line) => {
  queue = queue.then(async () => {
    process.stdout.write(`${JSON.stringify(await send(JSON.parse(line)))}\n`);
  });
});
process.stdin.on("end", () => process.exit(0));
process.stdout.write("ready\n");
