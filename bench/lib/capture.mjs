// The advertisements that enter the switch, by the port they come from, with the kernel's receive timestamps. They are
// read in the background every few milliseconds: the stamps do not depend on when.

import { now } from "../../dist/socket/clock.js";
import {
  AF_PACKET,
  ETH_P_ALL,
  ETH_P_IP,
  PACKET_IGNORE_OUTGOING,
  SO_RCVBUFFORCE,
  SO_TIMESTAMPNS,
  SOCK_RAW,
  SOL_PACKET,
  SOL_SOCKET,
} from "../../dist/socket/constants.js";
import { acceptWhen, dropAll } from "../../dist/socket/filter.js";
import { interfaceIndex } from "../../dist/socket/interface.js";
import { sockaddrLinkLayer } from "../../dist/socket/sockaddr.js";
import { Socket } from "../../dist/socket/socket.js";
import { sleep } from "./clock.mjs";

const poll = 8;
const ethernet = 14;
const advertisements = acceptWhen([
  { offset: 12, size: 2, oneOf: [ETH_P_IP] },
  { offset: ethernet + 9, size: 1, oneOf: [112] },
]);

export class Capture {
  /** Of each router: { at, link, vrid, priority }, oldest first within a link. */
  #adverts = new Map();
  #sockets = [];
  #timer = setInterval(() => this.read(), poll);

  constructor(lan) {
    for (const router of lan.routers) {
      const adverts = [];
      this.#adverts.set(router, adverts);
      for (let link = 0; link < lan.links; link++) {
        const socket = lan.inside("sw", () => {
          const opened = Socket.open(AF_PACKET, SOCK_RAW, 0, "packet socket", { slotSize: 128 });
          opened.attachFilter(dropAll());
          opened.setOption(SOL_SOCKET, SO_RCVBUFFORCE, 16 * 1024 * 1024);
          opened.setOption(SOL_SOCKET, SO_TIMESTAMPNS, 1);
          opened.setOption(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
          opened.bind(sockaddrLinkLayer(interfaceIndex(`${router}e${link}`), ETH_P_ALL));
          opened.attachFilter(advertisements);
          return opened;
        });
        this.#sockets.push({ socket, adverts, link });
      }
    }
  }

  read() {
    for (const { socket, adverts, link } of this.#sockets) {
      for (;;) {
        const batch = socket.receive();
        if (typeof batch === "number") break;
        for (let i = 0; i < batch.count; i++) {
          const frame = batch.bytes(i);
          const vrrp = ethernet + (frame[ethernet] & 15) * 4;
          adverts.push({ at: batch.at(i), link, vrid: frame[vrrp + 1], priority: frame[vrrp + 2] });
        }
        if (batch.count < 64) break;
      }
    }
  }

  /** Seen so far; `from` on the monotonic clock. */
  adverts(router, { from = 0, to = Number.POSITIVE_INFINITY, vrid, link } = {}) {
    this.read();
    return this.#adverts
      .get(router)
      .filter(
        (advert) =>
          advert.at >= from &&
          advert.at <= to &&
          (vrid === undefined || advert.vrid === vrid) &&
          (link === undefined || advert.link === link),
      );
  }

  last(router, wanted) {
    return this.adverts(router, wanted).at(-1);
  }

  /** The first advertisement since `from` that holds the role (priority not 0), or that gives it up. */
  async wait(router, { from, timeout, release = false }) {
    const end = now() + timeout;
    for (;;) {
      const found = this.adverts(router, { from }).find(({ priority }) => (priority === 0) === release);
      if (found !== undefined) return found;
      if (now() > end) throw new Error(`${router}: no advertisement within ${timeout} ms`);
      await sleep(poll);
    }
  }

  /** Gaps between consecutive advertisements of each virtual router. */
  gaps(router, wanted) {
    const before = new Map();
    const gaps = [];
    for (const { at, link, vrid } of this.adverts(router, wanted)) {
      const key = link * 256 + vrid;
      const previous = before.get(key);
      if (previous !== undefined) gaps.push(at - previous);
      before.set(key, at);
    }
    return gaps;
  }

  /** Keeps what came in since `from`. */
  forget(from) {
    for (const router of this.#adverts.keys()) {
      const all = this.#adverts.get(router);
      all.splice(0, all.length, ...this.adverts(router, { from }));
    }
  }

  close() {
    clearInterval(this.#timer);
    for (const { socket } of this.#sockets) socket.close();
    this.#sockets.length = 0;
  }
}
