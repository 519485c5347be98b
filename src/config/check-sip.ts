/** `type: sip` */
import type { SipParameters } from "../healthchecks/sip.ts";
import { statusCodeRanges } from "./check-http-page.ts";
import { checkSchema } from "./check-schema.ts";
import { describeEndpoint, endpointKeys, resolveEndpoint } from "./check-service.ts";
import { describeTls, resolveTls, tlsKeys, warnWithoutTls } from "./check-tls.ts";
import { standard, unset } from "./keys.ts";
import { oneOf, text } from "./kinds.ts";

const uri = text("a SIP URI, as in sip:ping@example.com", (value) =>
  /^sips?:[\x21-\x7e]{1,255}$/.test(value) && !/[<>"]/.test(value) ? undefined : "",
);

export const sipSchema = checkSchema({
  keys: {
    ...endpointKeys("5060; 5061 with transport: tls"),
    transport: standard(oneOf("udp", "tcp", "tls"), "udp", "How it is asked."),
    request_uri: unset(uri, "that of the server", "What OPTIONS asks about."),
    status_code: standard(
      statusCodeRanges(200, 699),
      200,
      "Status codes that are a success. Some servers answer OPTIONS with 404 or 405 and are well.",
    ),
    ...tlsKeys("With transport: tls: ", "the address of host"),
  },
  resolve(values, path, report): SipParameters | undefined {
    const { transport = "udp", request_uri: uri, status_code: codes } = values;
    const tls = resolveTls(values, path, report);
    if (transport !== "tls") warnWithoutTls(values, `transport is ${transport}`, path, report);
    const endpoint = resolveEndpoint(values, transport === "tls" ? 5061 : 5060, path, report);
    if (endpoint === undefined) return undefined;
    return {
      type: "sip",
      ...endpoint,
      transport,
      ...(uri === undefined ? {} : { uri }),
      statusCodes: codes?.map((range) => [range?.[0] ?? 0, range?.[1] ?? 0] as const) ?? [[200, 200]],
      ...(transport === "tls" ? { tls } : {}),
    };
  },
  describe: (sip: SipParameters) => ({
    ...describeEndpoint(sip),
    transport: sip.transport,
    request_uri: sip.uri,
    status_code: sip.statusCodes.map(([low, high]) => (low === high ? low : `${low}-${high}`)),
    ...(sip.tls === undefined ? {} : describeTls(sip.tls)),
  }),
});
