/** `type: imap` and `type: pop` */
import type { ImapParameters } from "../healthchecks/imap.ts";
import type { PopParameters } from "../healthchecks/pop.ts";
import { credentialKeys, describeLogin, resolveLogin } from "./check-credentials.ts";
import { checkSchema } from "./check-schema.ts";
import { describeEndpoint, endpointKeys, resolveEndpoint } from "./check-service.ts";
import { describeServiceTls, resolveServiceTls, serviceTlsKeys } from "./check-tls.ts";

function mailboxSchema<T extends "imap" | "pop">(type: T, ports: { readonly plain: number; readonly secure: number }) {
  return checkSchema({
    keys: {
      ...endpointKeys(`${ports.plain}; ${ports.secure} with tls: implicit`),
      ...credentialKeys,
      ...serviceTlsKeys("starttls", "implicit"),
    },
    resolve(values, path, report): ImapParameters | PopParameters | undefined {
      const tls = resolveServiceTls(values, path, report);
      const login = resolveLogin(values, path, report);
      const standard = tls.tls?.mode === "implicit" ? ports.secure : ports.plain;
      const endpoint = resolveEndpoint(values, standard, path, report);
      return endpoint && { type, ...endpoint, ...login, ...tls };
    },
    describe: (mailbox: ImapParameters | PopParameters, mask) => ({
      ...describeEndpoint(mailbox),
      ...describeLogin(mailbox.login, mask),
      ...describeServiceTls(mailbox.tls),
    }),
  });
}

export const imapSchema = mailboxSchema("imap", { plain: 143, secure: 993 });
export const popSchema = mailboxSchema("pop", { plain: 110, secure: 995 });
