// The demo's client: asks the virtual address for an echo every 10 ms and prints one line per change and per 100 ms.
// Runs inside the client's network namespace: node scripts/demo-probe.mjs ADDRESS

import { now } from "../dist/socket/clock.js";
import { AF_INET, IPPROTO_ICMP, SOCK_RAW } from "../dist/socket/constants.js";
import { sockaddrIn } from "../dist/socket/sockaddr.js";
import { Socket } from "../dist/socket/socket.js";
import { OneShotTimer } from "../dist/socket/timer.js";
import { parseAddress } from "../dist/wire/address.js";
import { checksumOf, sumWords } from "../dist/wire/checksum.js";
import { decodeIpv4 } from "../dist/wire/ip.js";

const period = 10;
const perMark = 10;
const echoReply = 0;
const echoRequest = 8;
const identifier = process.pid & 0xffff;

const socket = Socket.open(AF_INET, SOCK_RAW, IPPROTO_ICMP, "raw socket for ICMP");
const target = sockaddrIn(parseAddress(process.argv[2]));
let sequence = 0;
let sentInMark = 0;
let answeredInMark = 0;
let answered = 0;
let lost = 0;
let lastAnswer;
const waiting = new Map();

socket.watch(() => {
  const batch = socket.receive();
  if (typeof batch === "number") return;
  for (let i = 0; i < batch.count; i++) {
    const packet = decodeIpv4(batch.bytes(i));
    const icmp = packet?.payload;
    if (icmp === undefined || icmp.length < 8 || icmp[0] !== echoReply) continue;
    if (((icmp[4] << 8) | icmp[5]) !== identifier || !waiting.delete((icmp[6] << 8) | icmp[7])) continue;
    const at = batch.at(i);
    if (lastAnswer !== undefined && at - lastAnswer > 5 * period) say({ type: "gap", from: lastAnswer, to: at });
    if (lastAnswer === undefined) say({ type: "first", at });
    lastAnswer = at;
    answered++;
    answeredInMark++;
  }
});

let next = now();
const timer = new OneShotTimer(() => {
  probe();
  next += period;
  timer.arm(next);
});
timer.arm(next);

process.on("SIGTERM", () => {
  say({ type: "total", answered, lost: lost + waiting.size });
  process.exit(0);
});

function probe() {
  const packet = new Uint8Array(8);
  const view = new DataView(packet.buffer);
  sequence = (sequence + 1) & 0xffff;
  packet[0] = echoRequest;
  view.setUint16(4, identifier);
  view.setUint16(6, sequence);
  view.setUint16(2, checksumOf(sumWords(packet)));
  socket.send(packet, target);
  waiting.set(sequence, next);
  // An answer that has not come within a second will not come.
  for (const [number, at] of waiting) {
    if (next - at < 1000) break;
    waiting.delete(number);
    lost++;
  }
  if (++sentInMark < perMark) return;
  say({ type: "mark", share: answeredInMark / sentInMark });
  sentInMark = 0;
  answeredInMark = 0;
}

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
