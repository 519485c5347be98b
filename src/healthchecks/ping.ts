/** `type: ping`: an ICMP echo request is answered. */
import {
  AF_INET,
  AF_INET6,
  IP_RECVERR,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  SOCK_RAW,
} from "../socket/constants.ts";
import { errnoName } from "../socket/errno.ts";
import { acceptWhen } from "../socket/filter.ts";
import { addressOf, sockaddrIn, sockaddrIn6 } from "../socket/sockaddr.ts";
import { type Batch, Socket } from "../socket/socket.ts";
import { equalAddresses, type Family, type IpAddress, parseAddress } from "../wire/address.ts";
import { equalBytes } from "../wire/bytes.ts";
import { decodeEchoReply, type Echo, echoReplyType, encodeEchoRequest } from "../wire/icmp.ts";
import { decodeIpv4 } from "../wire/ip.ts";
import { type CheckType, type Outcome, whyAborted } from "./check-type.ts";

export interface PingParameters {
  readonly type: "ping";
  /** An address, not a name. */
  readonly host: string;
  /** Address to ask from. */
  readonly source?: string;
  /** Interface to ask through; link-local addresses need one. */
  readonly interface?: string;
}

/** Every run has an identifier of its own, so that nobody takes another's answer. */
let lastIdentifier = process.pid & 0xffff;

export const ping: CheckType<PingParameters> = {
  probe(parameters, signal) {
    const host = parseAddress(parameters.host);
    if (host === undefined) return Promise.resolve({ ok: false, reason: `ping: ${parameters.host} is no address` });
    const family: Family = host.length === 4 ? 4 : 6;
    lastIdentifier = (lastIdentifier + 1) & 0xffff;
    const echo = { identifier: lastIdentifier, sequence: 1, data: crypto.getRandomValues(new Uint8Array(16)) };
    const socket = open(family, parameters, echo.identifier);
    const what = `ping ${parameters.host}`;
    return new Promise<Outcome>((resolve) => {
      const end = (outcome: Outcome): void => {
        signal.removeEventListener("abort", onAbort);
        socket.close();
        resolve(outcome);
      };
      const fail = (why: string): void => end({ ok: false, reason: `${what}: ${why}` });
      const onAbort = (): void => fail(whyAborted(signal));
      signal.addEventListener("abort", onAbort);
      const started = performance.now();
      socket.watch(
        () => {
          const batch = socket.receive();
          if (typeof batch === "number") fail(errnoName(-batch));
          else if (answers(batch, family, host, echo)) {
            end({ ok: true, reason: `${parameters.host} answered`, latency: performance.now() - started });
          }
        },
        (errno) => fail(why(errno)),
      );
      const sent = socket.send(encodeEchoRequest(family, echo), family === 4 ? sockaddrIn(host) : sockaddrIn6(host));
      if (sent < 0) fail(why(-sent));
    });
  },
};

/** Throws SystemError. */
function open(family: Family, { source, interface: device }: PingParameters, identifier: number): Socket {
  const [domain, protocol] = family === 4 ? [AF_INET, IPPROTO_ICMP] : [AF_INET6, IPPROTO_ICMPV6];
  const socket = Socket.open(domain, SOCK_RAW, protocol, "raw socket for ping", { batchSize: 8 });
  try {
    const afterIpv4Header = family === 4;
    socket.attachFilter(
      acceptWhen([
        { offset: 0, size: 1, oneOf: [echoReplyType[family]], afterIpv4Header },
        { offset: 4, size: 2, oneOf: [identifier], afterIpv4Header },
      ]),
    );
    // What routers and our own kernel say about the request comes as an error of the socket.
    if (family === 4) socket.setOption(IPPROTO_IP, IP_RECVERR, 1);
    else socket.setOption(IPPROTO_IPV6, IPV6_RECVERR, 1);
    if (device !== undefined) socket.bindToDevice(device);
    const from = source === undefined ? undefined : parseAddress(source);
    if (from !== undefined) socket.bind(family === 4 ? sockaddrIn(from) : sockaddrIn6(from));
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

function answers(batch: Batch, family: Family, host: IpAddress, echo: Echo): boolean {
  for (let i = 0; i < batch.count; i++) {
    // Raw IPv4 sockets hand over the IP header.
    const bytes = family === 4 ? decodeIpv4(batch.bytes(i))?.payload : batch.bytes(i);
    const source = addressOf(batch.source(i));
    const reply = bytes && decodeEchoReply(family, bytes);
    if (reply === undefined || source === undefined || !equalAddresses(source, host)) continue;
    if (reply.identifier === echo.identifier && equalBytes(reply.data, echo.data)) return true;
  }
  return false;
}

function why(errno: number): string {
  const name = errnoName(errno);
  switch (name) {
    case "EHOSTUNREACH":
      return "the host cannot be reached (EHOSTUNREACH)";
    case "ENETUNREACH":
      return "the network cannot be reached (ENETUNREACH)";
    case "EPERM":
    case "EACCES":
      return `forbidden on this host (${name})`;
    case "EINVAL":
      return "the address cannot be used, a link-local one needs interface (EINVAL)";
    default:
      return name;
  }
}
