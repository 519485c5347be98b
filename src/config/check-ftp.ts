/** `type: ftp` */
import type { FtpParameters } from "../healthchecks/ftp.ts";
import { credentialKeys, describeLogin, resolveLogin } from "./check-credentials.ts";
import { regex } from "./check-http-page.ts";
import { checkSchema } from "./check-schema.ts";
import { describeEndpoint, endpointKeys, resolveEndpoint } from "./check-service.ts";
import { describeServiceTls, resolveServiceTls, serviceTlsKeys } from "./check-tls.ts";
import { unset } from "./keys.ts";
import { text } from "./kinds.ts";

const filePath = text("the path of a file on the server", (value) =>
  value === "" || /\p{Cc}/u.test(value) ? "" : undefined,
);

export const ftpSchema = checkSchema({
  keys: {
    ...endpointKeys("21; 990 with tls: implicit"),
    ...credentialKeys,
    retrieve: unset(filePath, "nothing", "File that is fetched, over a passive connection; needs a login."),
    body: unset(
      text("text", (value) => (value === "" ? "" : undefined)),
      "anything",
      "Text that the file must contain. Its first 128 KiB are looked at.",
    ),
    body_regex: unset(regex, "anything", "Regular expression that the file must match; a dot matches line ends, too."),
    ...serviceTlsKeys("starttls", "implicit"),
  },
  resolve(values, path, report): FtpParameters | undefined {
    const tls = resolveServiceTls(values, path, report);
    const login = resolveLogin(values, path, report);
    const { retrieve, body, body_regex: bodyRegex } = values;
    if (retrieve !== undefined && !report.isGiven([...path, "username"])) {
      report.error([...path, "retrieve"], "needs username, too: write anonymous, and an address as the password");
    }
    for (const key of ["body", "body_regex"] as const) {
      if (values[key] !== undefined && !report.isGiven([...path, "retrieve"])) {
        report.error([...path, key], "needs retrieve, too");
      }
    }
    const endpoint = resolveEndpoint(values, tls.tls?.mode === "implicit" ? 990 : 21, path, report);
    if (endpoint === undefined) return undefined;
    return {
      type: "ftp",
      ...endpoint,
      ...login,
      ...(retrieve === undefined ? {} : { retrieve }),
      ...(body === undefined ? {} : { body }),
      ...(bodyRegex === undefined ? {} : { bodyRegex }),
      ...tls,
    };
  },
  describe: (ftp: FtpParameters, mask) => ({
    ...describeEndpoint(ftp),
    ...describeLogin(ftp.login, mask),
    retrieve: ftp.retrieve,
    body: ftp.body,
    body_regex: ftp.bodyRegex,
    ...describeServiceTls(ftp.tls),
  }),
});
