/** `type: sip`: a SIP server answers OPTIONS, over UDP, TCP or TLS. */
import { randomBytes } from "node:crypto";
import { decodeResponse, encodeOptions, headOf, type SipResponse } from "../wire/sip.ts";
import type { CheckType, Outcome } from "./check-type.ts";
import { type Conversation, converse, type Endpoint } from "./conversation.ts";
import { ask, formatTarget } from "./datagram.ts";
import { quote } from "./quote.ts";
import { overTls } from "./service.ts";
import type { TlsParameters } from "./tls.ts";

export interface SipParameters extends Endpoint {
  readonly type: "sip";
  readonly transport: "udp" | "tcp" | "tls";
  /** Asked for, instead of the server itself. */
  readonly uri?: string;
  /** Both ends included. */
  readonly statusCodes: readonly (readonly [number, number])[];
  /** Of transport tls. */
  readonly tls?: TlsParameters;
}

const mostLines = 200;
/** Provisional responses (RFC 3261 section 21.1) before the final one. */
const mostResponses = 20;

export const sip: CheckType<SipParameters> = {
  probe: (parameters, signal) =>
    parameters.transport === "udp" ? askByDatagram(parameters, signal) : askByStream(parameters, signal),
};

function askByDatagram(parameters: SipParameters, signal: AbortSignal): Promise<Outcome> {
  const token = randomBytes(8).toString("hex");
  return ask(
    {
      what: `sip ${formatTarget(parameters)}`,
      target: parameters,
      make: ({ address: host, port }) => request(parameters, token, formatTarget({ host, port })),
      hear(message) {
        const response = decodeResponse(headOf(Buffer.from(message).toString("utf8")), token);
        if (typeof response === "string") return `${response}: ${quote(message)}`;
        if (response === undefined || response.status < 200) return undefined;
        return judge(parameters, response);
      },
    },
    signal,
  );
}

function askByStream(parameters: SipParameters, signal: AbortSignal): Promise<Outcome> {
  const token = randomBytes(8).toString("hex");
  return converse("sip", parameters, signal, async (peer) => {
    if (parameters.tls !== undefined) await peer.startTls(parameters.tls);
    peer.step = "OPTIONS";
    peer.send(request(parameters, token, peer.localTarget));
    const { ok, reason } = judge(parameters, await finalResponse(peer, token));
    if (!ok) throw new Error(reason);
    return `${reason}${overTls(peer)}`;
  });
}

async function finalResponse(peer: Conversation, token: string): Promise<SipResponse> {
  for (let count = 0; count < mostResponses; count++) {
    const lines: string[] = [];
    for (let line = await peer.line(); line !== ""; line = await peer.line()) {
      lines.push(line);
      if (lines.length > mostLines) throw new Error(`a message of more than ${mostLines} lines`);
    }
    // Empty lines between messages keep a connection alive (RFC 5626 section 3.5.1).
    if (lines.length === 0) continue;
    const response = decodeResponse(lines, token);
    if (typeof response === "string") throw new Error(`${response}: ${peer.quote(lines[0] ?? "")}`);
    if (response !== undefined && response.status >= 200) return response;
    if (response !== undefined && response.length > 0) await peer.bytes(response.length);
  }
  throw new Error(`no final response among ${mostResponses}`);
}

function request(parameters: SipParameters, token: string, from: string): Uint8Array {
  const { transport, uri } = parameters;
  const own = `${transport === "tls" ? "sips" : "sip"}:${formatTarget(parameters)}`;
  const name = ({ udp: "UDP", tcp: "TCP", tls: "TLS" } as const)[transport];
  return Buffer.from(encodeOptions({ transport: name, uri: uri ?? own, from, token }));
}

function judge({ statusCodes }: SipParameters, { status, phrase }: SipResponse): { ok: boolean; reason: string } {
  const ok = statusCodes.some(([low, high]) => status >= low && status <= high);
  const wanted = statusCodes.map(([low, high]) => (low === high ? low : `${low}-${high}`)).join(", ");
  const answer = `answered ${quote(`${status} ${phrase}`)}`;
  return { ok, reason: ok ? answer : `${answer} instead of ${wanted}` };
}
