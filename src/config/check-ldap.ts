/** `type: ldap` */
import type { LdapParameters, LdapSearch } from "../healthchecks/ldap.ts";
import { encodeFilter } from "../wire/ldap-filter.ts";
import { credentialKeys, describeLogin, resolveLogin } from "./check-credentials.ts";
import { checkSchema } from "./check-schema.ts";
import { describeEndpoint, endpointKeys, resolveEndpoint } from "./check-service.ts";
import { describeServiceTls, resolveServiceTls, serviceTlsKeys } from "./check-tls.ts";
import { standard, unset } from "./keys.ts";
import { oneOf, text, whole } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";

const everything = "(objectClass=*)";
const filter = text("a search filter like (uid=probe)", (value) => {
  const encoded = encodeFilter(value);
  return typeof encoded === "string" ? encoded : undefined;
});
const mostEntries = 1000;

export const ldapSchema = checkSchema({
  keys: {
    ...endpointKeys("389; 636 with tls: implicit"),
    ...credentialKeys,
    username: unset(
      credentialKeys.username.unwrap(),
      "an anonymous bind",
      "DN to bind as; needs password or password_file.",
    ),
    base: unset(
      text("a DN", () => undefined),
      "no search",
      'DN to search at; "" is the root of the server, which every client may read.',
    ),
    scope: standard(
      oneOf("base", "one", "sub"),
      "base",
      "With base: that entry alone, those right below it, or all below.",
    ),
    filter: standard(filter, everything, "With base: which entries count, as in RFC 4515."),
    min_entries: standard(whole(0, mostEntries), 1, "With base: entries that must be found at least."),
    max_entries: unset(whole(0, mostEntries), "any", "With base: entries that may be found at most."),
    ...serviceTlsKeys("starttls", "implicit"),
  },
  resolve(values, path, report): LdapParameters | undefined {
    const tls = resolveServiceTls(values, path, report);
    const login = resolveLogin(values, path, report);
    const search = resolveSearch(values, path, report);
    const endpoint = resolveEndpoint(values, tls.tls?.mode === "implicit" ? 636 : 389, path, report);
    return endpoint && { type: "ldap", ...endpoint, ...login, ...(search === undefined ? {} : { search }), ...tls };
  },
  describe: (ldap: LdapParameters, mask) => ({
    ...describeEndpoint(ldap),
    ...describeLogin(ldap.login, mask),
    base: ldap.search?.base,
    scope: ldap.search?.scope,
    filter: ldap.search?.filter,
    min_entries: ldap.search?.least,
    max_entries: ldap.search?.most,
    ...describeServiceTls(ldap.tls),
  }),
});

interface SearchValues {
  readonly base?: string | undefined;
  readonly scope?: LdapSearch["scope"] | undefined;
  readonly filter?: string | undefined;
  readonly min_entries?: number | undefined;
  readonly max_entries?: number | undefined;
}

function resolveSearch(values: SearchValues, path: Path, report: Report): LdapSearch | undefined {
  const { base, scope = "base", filter = everything, min_entries: least = 1, max_entries: most } = values;
  if (base === undefined) {
    for (const key of ["scope", "filter", "min_entries", "max_entries"] as const) {
      if (values[key] !== undefined) report.warn([...path, key], "has no effect without base");
    }
    return undefined;
  }
  if (most !== undefined && least > most) {
    report.error([...path, "max_entries"], `expected at least min_entries, ${least}, got ${most}`);
  }
  return { base, scope, filter, least, ...(most === undefined ? {} : { most }) };
}
