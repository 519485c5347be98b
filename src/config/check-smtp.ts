/** `type: smtp` */
import type { SmtpParameters } from "../healthchecks/smtp.ts";
import { checkSchema } from "./check-schema.ts";
import { describeEndpoint, endpointKeys, resolveEndpoint } from "./check-service.ts";
import { describeServiceTls, resolveServiceTls, serviceTlsKeys } from "./check-tls.ts";
import { unset } from "./keys.ts";
import { text } from "./kinds.ts";

/** RFC 5321 section 4.1.3: a name, or an address in brackets. */
const helloName = text("a host name, or an address in brackets", (value) =>
  value.length <= 255 && /^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[A-Za-z0-9.:]+\])$/.test(value) ? undefined : "",
);

export const smtpSchema = checkSchema({
  keys: {
    ...endpointKeys("25; 465 with tls: implicit"),
    helo_name: unset(helloName, "the own address, in brackets", "Name that is said with EHLO."),
    ...serviceTlsKeys("starttls", "implicit"),
  },
  resolve(values, path, report): SmtpParameters | undefined {
    const tls = resolveServiceTls(values, path, report);
    const endpoint = resolveEndpoint(values, tls.tls?.mode === "implicit" ? 465 : 25, path, report);
    if (endpoint === undefined) return undefined;
    const { helo_name: hello } = values;
    return { type: "smtp", ...endpoint, ...(hello === undefined ? {} : { hello }), ...tls };
  },
  describe: (smtp: SmtpParameters) => ({
    ...describeEndpoint(smtp),
    helo_name: smtp.hello,
    ...describeServiceTls(smtp.tls),
  }),
});
