/** `type: ntp`: a time server answers, and knows the time. */
import { decodeTimeReply, encodeTimeQuery, type TimeReply } from "../wire/ntp.ts";
import type { CheckType } from "./check-type.ts";
import { ask, formatTarget } from "./datagram.ts";
import type { Milliseconds } from "./parameters.ts";

export interface NtpParameters {
  readonly type: "ntp";
  /** An address, not a name. */
  readonly host: string;
  readonly port: number;
  readonly source?: string;
  readonly maxStratum: number;
  /** Its clock may differ so much from that of this host. */
  readonly maxOffset?: Milliseconds;
}

export const ntp: CheckType<NtpParameters> = {
  probe(parameters, signal) {
    const query = encodeTimeQuery(crypto.getRandomValues(new Uint8Array(8)));
    let asked = 0;
    return ask(
      {
        what: `ntp ${formatTarget(parameters)}`,
        target: parameters,
        make() {
          asked = Date.now();
          return query;
        },
        hear(message) {
          const now = Date.now();
          const reply = decodeTimeReply(query, message, now);
          if (reply === undefined) return undefined;
          const offset = (reply.received - asked + (reply.sent - now)) / 2;
          const complaint = judgeTime(parameters, reply, offset);
          return { ok: complaint === undefined, reason: complaint ?? `stratum ${reply.stratum}, ${told(offset)}` };
        },
      },
      signal,
    );
  },
};

/** What is wrong with an answer, or undefined. */
export function judgeTime(
  { maxStratum, maxOffset }: Pick<NtpParameters, "maxStratum" | "maxOffset">,
  { leap, stratum, reference }: Pick<TimeReply, "leap" | "stratum" | "reference">,
  offset: Milliseconds,
): string | undefined {
  if (stratum === 0 && reference !== "") return `it refuses (kiss code ${reference})`;
  // RFC 5905 section 7.3: 16 stands for it as well; without a code 0 does.
  if (leap === 3 || stratum > 15 || stratum === 0) return "its clock is not synchronized";
  if (stratum > maxStratum) return `stratum ${stratum}, more than ${maxStratum}`;
  if (maxOffset !== undefined && Math.abs(offset) > maxOffset) return `${told(offset)}, more than ${maxOffset} ms`;
  return undefined;
}

function told(offset: Milliseconds): string {
  return `its clock is ${Math.abs(offset).toFixed(0)} ms ${offset < 0 ? "behind" : "ahead"}`;
}
