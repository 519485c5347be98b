// Sends malformed VRRP packets for VRID 1 at a steady rate out of e0, for some seconds: node flood.mjs RATE SECONDS.
import { AF_PACKET, SOCK_RAW } from "../../dist/socket/constants.js";
import { interfaceIndex } from "../../dist/socket/interface.js";
import { sockaddrLinkLayer } from "../../dist/socket/sockaddr.js";
import { Socket } from "../../dist/socket/socket.js";

const [rate, seconds] = process.argv.slice(2).map(Number);
const socket = Socket.open(AF_PACKET, SOCK_RAW, 0, "packet socket");
const destination = sockaddrLinkLayer(interfaceIndex("e0"), 0);

/** IPv4 to 224.0.0.18 from .255.100; `vrrp` as given. */
function frame(vrrp, { ttl = 255 } = {}) {
  const ip = [0x45, 0xc0, 0, 20 + vrrp.length, 0, 0, 0, 0, ttl, 112, 0, 0, 10, 50, 255, 100, 224, 0, 0, 18];
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += ip[i] * 256 + ip[i + 1];
  sum = (sum & 0xffff) + (sum >>> 16);
  ip[10] = (~sum >> 8) & 0xff;
  ip[11] = ~sum & 0xff;
  return Uint8Array.from([1, 0, 0x5e, 0, 0, 18, 2, 0, 0, 0, 0, 0x64, 8, 0, ...ip, ...vrrp]);
}

const frames = [
  frame([0x31, 1, 100, 1, 0, 1, 0xde, 0xad, 10, 50, 0, 2]), // wrong checksum
  frame([0x31, 1, 100, 1, 0, 1, 0, 0, 10, 50, 0, 2], { ttl: 64 }),
  frame([0x31, 1, 100]), // short
  frame([0x71, 1, 100, 1, 0, 1, 0, 0, 10, 50, 0, 2]), // version 7
  frame([0x31, 1, 100, 40, 0, 1, 0, 0, 10, 50, 0, 2]), // more addresses than bytes
  frame([0x31, 99, 100, 1, 0, 1, 0, 0, 10, 50, 0, 2]), // another virtual router
];

const start = performance.now();
let sent = 0;
let refused = 0;
const timer = setInterval(() => {
  const elapsed = performance.now() - start;
  const due = Math.min(elapsed, seconds * 1000) * (rate / 1000);
  while (sent < due) if (socket.send(frames[sent++ % frames.length], destination) < 0) refused++;
  if (elapsed < seconds * 1000) return;
  clearInterval(timer);
  socket.close();
  process.stdout.write(`${sent} ${refused}\n`);
}, 1);
