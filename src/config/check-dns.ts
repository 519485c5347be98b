/** `type: dns` */
import type { DnsParameters } from "../healthchecks/dns.ts";
import { complaintAboutName, queryTypes } from "../wire/dns.ts";
import { familyOfText } from "./addresses.ts";
import { checkSchema } from "./check-schema.ts";
import { checkHost } from "./check-tcp.ts";
import { required, standard, unset } from "./keys.ts";
import { address, oneOf, text, whole } from "./kinds.ts";

const name = text("a domain name", (value) => complaintAboutName(value));
const types = Object.keys(queryTypes) as [keyof typeof queryTypes, ...(keyof typeof queryTypes)[]];

export const dnsSchema = checkSchema({
  keys: {
    host: required(address(), "Address of the name server."),
    port: standard(whole(1, 65_535), 53, "Port of the name server."),
    source: unset(address(), "chosen by the kernel", "Address to ask from, of the family of host."),
    name: standard(name, ".", "The name that is asked for."),
    query_type: standard(oneOf(...types), "SOA", "The type of record that is asked for."),
    answer: unset(address(), "any", "With query_type A or AAAA: an address that must be among the answers."),
  },
  resolve(values, path, report): DnsParameters | undefined {
    const { host, port = 53, source, name: query = ".", query_type: queryType = "SOA", answer } = values;
    checkHost(host, source, path, report);
    const type = answer === undefined ? undefined : familyOfText(answer) === 4 ? "A" : "AAAA";
    if (type !== undefined && queryType !== type) {
      report.error([...path, "answer"], `${answer} is never in an answer to ${queryType}: set query_type: ${type}`);
    }
    if (host === undefined) return undefined;
    return {
      type: "dns",
      host,
      port,
      ...(source === undefined ? {} : { source }),
      query,
      queryType,
      ...(answer === undefined ? {} : { answer }),
    };
  },
  describe: ({ host, port, source, query, queryType, answer }: DnsParameters) => ({
    host,
    port,
    source,
    name: query,
    query_type: queryType,
    answer,
  }),
});
