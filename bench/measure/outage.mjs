// What a client sees that sends an ICMP echo request to the virtual address each millisecond while the active router
// crashes with its link: how long after the new one's first advertisement the first answer comes.
import {
  AF_INET,
  IPPROTO_ICMP,
  SO_RCVBUFFORCE,
  SO_TIMESTAMPNS,
  SOCK_RAW,
  SOL_SOCKET,
} from "../../dist/socket/constants.js";
import { acceptWhen } from "../../dist/socket/filter.js";
import { sockaddrIn } from "../../dist/socket/sockaddr.js";
import { Socket } from "../../dist/socket/socket.js";
import { OneShotTimer } from "../../dist/socket/timer.js";
import { downInterval, now, sleep } from "../lib/clock.mjs";
import { addressOf } from "../lib/lan.mjs";
import { lesser, Pair } from "../lib/pair.mjs";
import { products } from "../lib/products.mjs";

export const name = "outage";
export const title = "Outage seen by a client that probes each millisecond: crash of the active router, link cut";

export async function measure(report, { extent }) {
  for (const [interval, rounds] of [
    [100, extent === "full" ? 30 : 6],
    [10, extent === "full" ? 60 : 10],
  ]) {
    const pairs = products.map((product) => new Pair(product, { interval }));
    try {
      await Promise.all(pairs.map((pair) => pair.settle()));
      for (let round = 0; round < rounds; round++) {
        for (const pair of round % 2 === 0 ? pairs : [...pairs].reverse()) await once(report, pair);
      }
    } finally {
      for (const pair of pairs) pair.close();
    }
  }
}

async function once(report, pair) {
  const { interval } = pair;
  const prober = new Prober(pair.lan);
  await sleep(60 + Math.random() * interval);
  const at = now();
  pair.r1.kill();
  await pair.lan.setCable("r1", false);
  const first = await pair.capture.wait("r2", { from: at, timeout: 4 * interval + 2000 });
  const last = pair.capture.last("r1", { to: first.at });
  await sleep(150);
  prober.close();
  const before = prober.answers.filter(({ received }) => received < first.at - interval).at(-1);
  const after = prober.answers.find(({ sent }) => sent > (before?.sent ?? 0) && prober.isLater(sent, before));
  const what = `${interval} ms adverts`;
  if (before === undefined || after === undefined)
    report.note(`${pair.product.name}: no answer ${before ? "after" : "before"}`);
  else {
    report.sample(
      `${what}: first answer after the first advertisement`,
      pair.product.name,
      after.received - first.at,
      "ms",
    );
    report.sample(`${what}: outage`, pair.product.name, after.received - before.received, "ms");
    report.sample(
      `${what}: outage from the last advertisement, less the formula`,
      pair.product.name,
      after.received - last.at - downInterval(lesser, interval),
      "ms",
    );
  }
  await pair.r1.exited;
  pair.lan.ip("r1", ["addr flush dev e0", "addr add 10.50.255.11/16 dev e0"]);
  await pair.lan.setCable("r1", true);
  pair.start("r1");
  await pair.capture.wait("r1", { from: at + 5 * interval, timeout: 10_000 });
  await pair.calm();
  pair.capture.forget(now() - 3 * interval - 100);
}

const identifier = process.pid & 0xffff;

class Prober {
  answers = [];
  #sent = [];
  #socket;
  #timer;
  #start = now();

  constructor(lan) {
    this.#socket = lan.inside("h1", () =>
      Socket.open(AF_INET, SOCK_RAW, IPPROTO_ICMP, "raw socket for ICMP", { slotSize: 128 }),
    );
    this.#socket.setOption(SOL_SOCKET, SO_TIMESTAMPNS, 1);
    this.#socket.setOption(SOL_SOCKET, SO_RCVBUFFORCE, 4 * 1024 * 1024);
    this.#socket.attachFilter(acceptWhen([{ offset: 0, size: 1, oneOf: [0], afterIpv4Header: true }]));
    const target = sockaddrIn(addressOf(0).split(".").map(Number));
    this.#timer = new OneShotTimer(() => {
      this.#probe(target);
      this.#timer.arm(this.#start + this.#sent.length);
    });
    this.#timer.arm(this.#start);
  }

  /** Answered, and not one that was under way before the outage. */
  isLater(sent, before) {
    return sent > before.received + 2;
  }

  #probe(target) {
    const packet = Buffer.alloc(16);
    packet[0] = 8;
    packet.writeUInt16BE(identifier, 4);
    packet.writeUInt16BE(this.#sent.length & 0xffff, 6);
    let sum = 0;
    for (let i = 0; i < packet.length; i += 2) sum += packet.readUInt16BE(i);
    sum = (sum & 0xffff) + (sum >>> 16);
    packet.writeUInt16BE(~(sum + (sum >>> 16)) & 0xffff, 2);
    this.#sent.push(now());
    this.#socket.send(packet, target);
    if (this.#sent.length % 32 === 0) this.#read();
  }

  #read() {
    for (;;) {
      const batch = this.#socket.receive();
      if (typeof batch === "number" || batch.count === 0) return;
      for (let i = 0; i < batch.count; i++) {
        const bytes = batch.bytes(i);
        const icmp = Buffer.from(bytes.subarray((bytes[0] & 15) * 4));
        const sent = this.#sent[icmp.readUInt16BE(6)];
        if (icmp.readUInt16BE(4) === identifier && sent !== undefined)
          this.answers.push({ sent, received: batch.at(i) });
      }
    }
  }

  close() {
    this.#read();
    this.#timer.close();
    this.#socket.close();
    this.answers.sort((a, b) => a.received - b.received);
  }
}
