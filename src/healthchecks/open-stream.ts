/** A short connection to an address that is written in the configuration. */
import { sockaddrIn, sockaddrIn6 } from "../socket/sockaddr.ts";
import { Stream, type StreamHandlers } from "../socket/stream.ts";
import { parseAddress } from "../wire/address.ts";

export interface StreamTarget {
  /** An address, not a name. */
  readonly host: string;
  readonly port: number;
  readonly source?: string;
  readonly mark?: number;
}

export function openStream({ host, port, source, mark }: StreamTarget, handlers: StreamHandlers): Stream {
  return new Stream(sockaddr(host, port), handlers, {
    source: source === undefined ? undefined : sockaddr(source, 0),
    mark,
  });
}

function sockaddr(text: string, port: number): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address.length === 4 ? sockaddrIn(address, port) : sockaddrIn6(address, 0, port);
}
