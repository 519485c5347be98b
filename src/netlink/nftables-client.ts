/**
 * Batches of nf_tables changes and what others change. One batch is under way at a time, sent from another thread: the
 * kernel may load a module first, and it holds a lock that others may hold for long.
 */
import { NETLINK_ADD_MEMBERSHIP, SO_SNDBUF, SO_SNDBUFFORCE, SOL_NETLINK, SOL_SOCKET } from "../socket/constants.ts";
import { ErrorNumber, SystemError } from "../socket/errno.ts";
import type { Socket } from "../socket/socket.ts";
import { AttributeReader } from "./attributes.ts";
import { NLMSG_ERROR } from "./constants.ts";
import { NetlinkError } from "./error.ts";
import { readU32 } from "./host-order.ts";
import { decodeAnswer, MessageReader } from "./message.ts";
import { encodeBatch, type NftMessage } from "./nftables.ts";
import * as n from "./nftables-constants.ts";
import { isFromKernel, openTransport } from "./transport.ts";

export const NETLINK_NETFILTER = 12;

export interface NftablesHandlers {
  /** Somebody else changed a table of this name; "nft (pid 42)", as far as the kernel tells. */
  changed(who: string): void;
}

const timeout = 5000;
const sendBuffer = 8 * 1024 * 1024;

export class NftablesClient {
  readonly #table: string;
  readonly #handlers: NftablesHandlers;
  readonly #requests: Socket;
  readonly #events: Socket;
  readonly #port: number;
  #sequence = 0;
  #underWay: { readonly first: number; readonly last: number; finish(errno: number, text: string): void } | undefined;
  /** Changed by somebody else in the transaction whose end has not been read yet. */
  #touched = false;

  /** Throws when the kernel has no netfilter, or the sockets are refused. */
  constructor(table: string, handlers: NftablesHandlers) {
    this.#table = table;
    this.#handlers = handlers;
    const options = { protocol: NETLINK_NETFILTER, receiveBuffer: 1024 * 1024, batchSize: 8 };
    this.#requests = openTransport("netlink socket for nf_tables", options);
    try {
      setSendBuffer(this.#requests);
      this.#port = readU32(this.#requests.name(), 4);
      this.#events = openTransport("netlink event socket for nf_tables", options);
    } catch (error) {
      this.#requests.close();
      throw error;
    }
    try {
      this.#events.setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, n.NFNLGRP_NFTABLES);
    } catch (error) {
      this.close();
      throw error;
    }
    this.#requests.watch(() => this.#readAnswers());
    this.#events.watch(() => this.#readEvents());
  }

  /** All of the messages or none. Rejects with NetlinkError. Not to be called while another one is under way. */
  commit(operation: string, messages: readonly NftMessage[]): Promise<void> {
    const first = this.#sequence + 1;
    const last = first + messages.length;
    this.#sequence = last + 1;
    return new Promise((resolve, reject) => {
      const fail = (errno: number, text: string) => reject(new NetlinkError(operation, errno, text));
      if (this.#underWay !== undefined) return fail(ErrorNumber.EBUSY, "");
      const timer = setTimeout(() => this.#finish(ErrorNumber.ETIMEDOUT, "no answer from the kernel"), timeout);
      const finish = (errno: number, text: string) => {
        clearTimeout(timer);
        if (errno === 0) resolve();
        else fail(errno, text);
      };
      this.#underWay = { first, last, finish };
      this.#requests.sendAside(encodeBatch(messages, first), (result) => {
        if (result < 0 && this.#underWay?.first === first) this.#finish(-result, "");
      });
    });
  }

  close(): void {
    this.#finish(ErrorNumber.ECANCELED, "closed");
    this.#requests.close();
    this.#events.close();
  }

  #finish(errno: number, text: string): void {
    const underWay = this.#underWay;
    this.#underWay = undefined;
    underWay?.finish(errno, text);
  }

  #readAnswers(): void {
    const batch = this.#requests.receive();
    if (typeof batch === "number") {
      if (-batch !== ErrorNumber.EAGAIN && -batch !== ErrorNumber.EINTR)
        this.#finish(-batch, "reading the answer failed");
      return;
    }
    for (let i = 0; i < batch.count; i++) {
      if (!isFromKernel(batch.source(i))) continue;
      const reader = new MessageReader(batch.bytes(i));
      while (reader.next()) if (reader.type === NLMSG_ERROR) this.#answered(reader);
    }
  }

  /** A refusal names the message that it is about; the success of the last one is the success of all, if none was refused. */
  #answered(reader: MessageReader): void {
    const { sequence, type, flags } = reader;
    if (this.#underWay === undefined || sequence < this.#underWay.first || sequence > this.#underWay.last) return;
    const { errno, text } = decodeAnswer(reader.payload(), type, flags);
    if (errno !== 0 || sequence === this.#underWay.last) this.#finish(errno, text);
  }

  #readEvents(): void {
    const batch = this.#events.receive();
    if (typeof batch === "number") {
      // What was lost may have been about our table.
      if (-batch !== ErrorNumber.EAGAIN && -batch !== ErrorNumber.EINTR) this.#handlers.changed("somebody");
      return;
    }
    for (let i = 0; i < batch.count; i++) {
      if (!isFromKernel(batch.source(i))) continue;
      const reader = new MessageReader(batch.bytes(i));
      while (reader.next()) this.#event(reader);
    }
  }

  /** The messages of a transaction are told one by one; the last is about the generation, and who made it. */
  #event(reader: MessageReader): void {
    if (reader.type >> 8 !== n.NFNL_SUBSYS_NFTABLES) return;
    const type = reader.type & 0xff;
    const attributes = new AttributeReader(reader.payload(), 4);
    if (type === n.NFT_MSG_NEWGEN) {
      if (this.#touched) this.#handlers.changed(decodeAuthor(attributes));
      this.#touched = false;
      return;
    }
    if (reader.port === this.#port || reader.payload()[0] !== n.NFPROTO_INET) return;
    while (attributes.next()) {
      if (attributes.type === n.NFTA_TABLE_NAME && attributes.text() === this.#table) this.#touched = true;
    }
  }
}

function decodeAuthor(attributes: AttributeReader): string {
  let name = "somebody";
  let pid = "";
  while (attributes.next()) {
    if (attributes.type === n.NFTA_GEN_PROC_NAME) name = attributes.text();
    if (attributes.type === n.NFTA_GEN_PROC_PID && attributes.length === 4) {
      const bytes = attributes.view();
      pid = ` (pid ${new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)})`;
    }
  }
  return name + pid;
}

/** A batch goes in one datagram. Beyond net.core.wmem_max it takes CAP_NET_ADMIN, which changing tables takes anyway. */
function setSendBuffer(socket: Socket): void {
  try {
    socket.setOption(SOL_SOCKET, SO_SNDBUFFORCE, sendBuffer);
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== "EPERM") throw error;
    socket.setOption(SOL_SOCKET, SO_SNDBUF, sendBuffer);
  }
}
