/** `type: dns`: a name server answers a question, over UDP. */
import { createSocket } from "node:dgram";
import { equalAddresses, formatAddress, parseAddress } from "../wire/address.ts";
import { type Answer, decodeAnswer, encodeQuery, type QueryType } from "../wire/dns.ts";
import { type CheckType, type Outcome, whyAborted } from "./check-type.ts";
import { whySystem } from "./system-failure.ts";

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
    const { host, port, source, query, queryType } = parameters;
    const target = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    // Not to be guessed by whoever would answer in the server's place.
    const [id = 0] = crypto.getRandomValues(new Uint16Array(1));
    const question = encodeQuery(id, query, queryType);
    return new Promise<Outcome>((resolve) => {
      const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
      let open = true;
      const end = (ok: boolean, reason: string): void => {
        if (!open) return;
        open = false;
        signal.removeEventListener("abort", onAbort);
        socket.close();
        resolve({ ok, reason: `dns ${target}, ${query} ${queryType}: ${reason}` });
      };
      const onAbort = (): void => end(false, whyAborted(signal));
      signal.addEventListener("abort", onAbort);
      socket.on("error", (error) => end(false, whySystem(error)));
      socket.on("message", (message) => {
        const answer = decodeAnswer(question, message);
        // Something else than the answer to this question: the answer may still come.
        if (answer === undefined) return;
        const complaint = judgeAnswer(parameters, answer);
        end(complaint === undefined, complaint ?? describe(answer));
      });
      const ask = (): void => {
        if (!open) return;
        socket.connect(port, host, (refused?: Error) => {
          if (!open) return;
          if (refused !== undefined) end(false, whySystem(refused));
          else socket.send(question, (error) => error && end(false, whySystem(error)));
        });
      };
      if (source === undefined) ask();
      else socket.bind({ address: source }, ask);
    });
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
