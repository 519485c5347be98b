/** `type: redis` */
import type { RedisParameters } from "../healthchecks/redis.ts";
import { credentialKeys, describeLogin, resolvePassword } from "./check-credentials.ts";
import { checkSchema } from "./check-schema.ts";
import { describeEndpoint, endpointKeys, resolveEndpoint } from "./check-service.ts";
import { describeServiceTls, resolveServiceTls, serviceTlsKeys } from "./check-tls.ts";
import { unset } from "./keys.ts";
import { oneOf, text } from "./kinds.ts";

const key = text("the name of a key", (value) => (value === "" ? "" : undefined));

export const redisSchema = checkSchema({
  keys: {
    ...endpointKeys("6379"),
    ...credentialKeys,
    username: unset(
      credentialKeys.username.unwrap(),
      "the default user",
      "Name of an ACL user to log in as; needs password or password_file.",
    ),
    role: unset(
      oneOf("master", "replica"),
      "any",
      "What it has to be, as ROLE tells; a replica must be connected to its master.",
    ),
    key_present: unset(key, "none", "Key that must exist."),
    key_absent: unset(key, "none", "Key that must not exist: whoever sets it takes the server out of service."),
    ...serviceTlsKeys("implicit"),
  },
  resolve(values, path, report): RedisParameters | undefined {
    const tls = resolveServiceTls(values, path, report);
    const password = resolvePassword(values, path, report);
    const { username: user, role, key_present: present, key_absent: absent } = values;
    if (user !== undefined && !["password", "password_file"].some((each) => report.isGiven([...path, each]))) {
      report.error([...path, "username"], "needs password or password_file, too");
    }
    if (present !== undefined && present === absent) {
      report.error([...path, "key_absent"], "is key_present as well: a key cannot be both");
    }
    const endpoint = resolveEndpoint(values, 6379, path, report);
    if (endpoint === undefined) return undefined;
    return {
      type: "redis",
      ...endpoint,
      ...(password === undefined ? {} : { login: { ...(user === undefined ? {} : { user }), password } }),
      ...(role === undefined ? {} : { role }),
      ...(present === undefined ? {} : { present }),
      ...(absent === undefined ? {} : { absent }),
      ...tls,
    };
  },
  describe: (redis: RedisParameters, mask) => ({
    ...describeEndpoint(redis),
    ...describeLogin(redis.login, mask),
    role: redis.role,
    key_present: redis.present,
    key_absent: redis.absent,
    ...describeServiceTls(redis.tls),
  }),
});
