/** `type: dns`: a name server answers a question, over UDP. */
import { equalAddresses, formatAddress, parseAddress } from "../wire/address.ts";
import { type Answer, decodeAnswer, encodeQuery, type QueryType } from "../wire/dns.ts";
import type { CheckType } from "./check-type.ts";
import { ask, formatTarget } from "./datagram.ts";

export interface DnsParameters {
  readonly type: "dns";
  /** The name server's address. */
  readonly host: string;
  readonly port: number;
  readonly source?: string;
  /** The name asked for. */
  readonly query: string;
  readonly queryType: QueryType;
  /** An address that must be among the answers. */
  readonly answer?: string;
}

export const dns: CheckType<DnsParameters> = {
  probe(parameters, signal) {
    const { query, queryType } = parameters;
    // Not to be guessed by whoever would answer in the server's place.
    const [id = 0] = crypto.getRandomValues(new Uint16Array(1));
    const question = encodeQuery(id, query, queryType);
    return ask(
      {
        what: `dns ${formatTarget(parameters)}, ${query} ${queryType}`,
        target: parameters,
        make: () => question,
        hear(message) {
          const answer = decodeAnswer(question, message);
          if (answer === undefined) return undefined;
          const complaint = judgeAnswer(parameters, answer);
          return { ok: complaint === undefined, reason: complaint ?? describe(answer) };
        },
      },
      signal,
    );
  },
};

/** What is wrong with an answer, or undefined. */
export function judgeAnswer({ answer: wanted }: Pick<DnsParameters, "answer">, answer: Answer): string | undefined {
  if (answer.code !== "NOERROR") return `answered ${answer.code}`;
  const address = wanted === undefined ? undefined : parseAddress(wanted);
  if (address === undefined || answer.addresses.some((found) => equalAddresses(found, address))) return undefined;
  const found = answer.addresses.slice(0, 4).map(formatAddress).join(", ");
  const cut = answer.truncated ? " (the answer is cut off)" : "";
  return `${wanted} is not among the answers, ${found === "" ? "there are none" : `which are ${found}`}${cut}`;
}

function describe({ records, addresses }: Answer): string {
  const list = addresses.slice(0, 4).map(formatAddress).join(", ");
  return list === "" ? `answered with ${records} records` : `answered ${list}`;
}
