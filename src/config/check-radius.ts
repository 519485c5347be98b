/** `type: radius` */
import type { RadiusParameters } from "../healthchecks/radius.ts";
import { credentialKeys, describeLogin, resolveLogin } from "./check-credentials.ts";
import { checkSchema } from "./check-schema.ts";
import { checkHost } from "./check-tcp.ts";
import { checkPath } from "./check-tls.ts";
import { required, standard, unset } from "./keys.ts";
import { address, boolean, secret, text, whole } from "./kinds.ts";

const secretText = secret("a secret of at least one character, on one line", (value) =>
  value === "" || /\p{Cc}/u.test(value) ? "" : undefined,
);
const nas = text("a name of 1 to 253 characters", (value) => (/^[\x20-\x7e]{1,253}$/.test(value) ? undefined : ""));

export const radiusSchema = checkSchema({
  keys: {
    host: required(address(), "Address of the server. Names are not looked up."),
    port: standard(whole(1, 65_535), 1812, "Port of the server; 1813 is that for accounting."),
    source: unset(address(), "chosen by the kernel", "Address to ask from, of the family of host."),
    secret: unset(secretText, "none", "The secret that is shared with the server. It is never shown."),
    secret_file: unset(checkPath, "none", "File with the secret, read in every run, instead of secret."),
    ...credentialKeys,
    accept_reject: standard(boolean(), false, "true: with username, a user who is refused is a success, too."),
    require_message_authenticator: standard(
      boolean(),
      false,
      "true: answers without a Message-Authenticator, which could be forged on the way, are not believed. Older servers leave it out.",
    ),
    nas_identifier: standard(nas, "viprd", "Who asks, as the server has it in its log."),
  },
  resolve(values, path, report): RadiusParameters | undefined {
    const { host, port = 1812, source, secret: text, secret_file: file, accept_reject: reject = false } = values;
    checkHost(host, source, path, report);
    const login = resolveLogin(values, path, report);
    if (text !== undefined && file !== undefined) {
      report.error([...path, "secret_file"], "takes the place of secret: remove one of the two");
    }
    if (!report.isGiven([...path, "secret"]) && !report.isGiven([...path, "secret_file"])) {
      report.error(path, "secret is missing: write secret or secret_file");
    }
    if (reject && !report.isGiven([...path, "username"])) {
      report.error([...path, "accept_reject"], "needs username: without one nobody is refused");
    }
    const shared = file === undefined ? text && { text } : { file };
    if (host === undefined || shared === undefined || shared === "") return undefined;
    return {
      type: "radius",
      host,
      port,
      ...(source === undefined ? {} : { source }),
      secret: shared,
      ...login,
      rejectIsSuccess: reject,
      requireMessageAuthenticator: values.require_message_authenticator ?? false,
      nas: values.nas_identifier ?? "viprd",
    };
  },
  describe: ({ host, port, source, secret: shared, login, ...radius }: RadiusParameters, mask) => ({
    host,
    port,
    source,
    ...("file" in shared ? { secret_file: shared.file } : { secret: mask ?? shared.text }),
    ...describeLogin(login, mask),
    accept_reject: radius.rejectIsSuccess,
    require_message_authenticator: radius.requireMessageAuthenticator,
    nas_identifier: radius.nas,
  }),
});
