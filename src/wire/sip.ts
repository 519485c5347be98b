/** An OPTIONS request of SIP and the response to it: RFC 3261 sections 11, 7 and 8.1.3.3. */

export interface OptionsRequest {
  readonly transport: "UDP" | "TCP" | "TLS";
  /** "sip:192.0.2.1:5060" */
  readonly uri: string;
  /** Address and port that it is sent from, as in a URI. */
  readonly from: string;
  /** Random, of letters and digits: by it the response is recognised. */
  readonly token: string;
}

export interface SipResponse {
  readonly status: number;
  readonly phrase: string;
  /** Of the body that follows. */
  readonly length: number;
}

export function encodeOptions({ transport, uri, from, token }: OptionsRequest): string {
  const lines = [
    `OPTIONS ${uri} SIP/2.0`,
    // RFC 3261 section 8.1.1.7: the branch begins so. RFC 3581: the answer comes back to this port, whatever is in between.
    `Via: SIP/2.0/${transport} ${from};branch=z9hG4bK${token};rport`,
    "Max-Forwards: 70",
    `From: <sip:viprd@${from}>;tag=${token}`,
    `To: <${uri}>`,
    `Call-ID: ${token}@viprd`,
    "CSeq: 1 OPTIONS",
    `Contact: <sip:viprd@${from}>`,
    "Accept: application/sdp",
    "User-Agent: viprd",
    "Content-Length: 0",
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Lines of a head, without the empty one. A text: what is wrong with it; undefined: it answers something else. */
export function decodeResponse(lines: readonly string[], token: string): SipResponse | string | undefined {
  const [first = "", ...rest] = lines;
  const [, digits = "", phrase = ""] = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/.exec(first) ?? [];
  // A request of somebody else's, for instance.
  if (digits === "") return /^[A-Z]+ \S+ SIP\/2\.0$/.test(first) ? undefined : "something that is no SIP";
  const value = (names: RegExp) => {
    const line = rest.find((each) => names.test(each));
    return line?.slice(line.indexOf(":") + 1).trim() ?? "";
  };
  if (value(/^(call-id|i)\s*:/i) !== `${token}@viprd`) return undefined;
  if (!/^0*1\s+OPTIONS$/.test(value(/^cseq\s*:/i))) return undefined;
  const length = Number(/^\d{1,7}$/.exec(value(/^(content-length|l)\s*:/i))?.[0] ?? 0);
  return { status: Number(digits), phrase: phrase.trim(), length };
}

/** The lines of a message in one datagram. */
export function headOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  const end = lines.indexOf("");
  return end < 0 ? lines : lines.slice(0, end);
}
