/** The table of types. A new one is a file with its parameters and its probe, and a line here. */
import { agent } from "./agent.ts";
import type { CheckType } from "./check-type.ts";
import { custom } from "./custom.ts";
import { dns } from "./dns.ts";
import { file } from "./file.ts";
import { ftp } from "./ftp.ts";
import { grpc } from "./grpc.ts";
import { http } from "./http.ts";
import { imap } from "./imap.ts";
import { networkInterface } from "./interface.ts";
import { ldap } from "./ldap.ts";
import { mysql } from "./mysql.ts";
import { ntp } from "./ntp.ts";
import type { CheckParameters } from "./parameters.ts";
import { pgsql } from "./pgsql.ts";
import { ping } from "./ping.ts";
import { pop } from "./pop.ts";
import { processes } from "./process.ts";
import { radius } from "./radius.ts";
import { redis } from "./redis.ts";
import { route } from "./route.ts";
import { script } from "./script.ts";
import { sip } from "./sip.ts";
import { smtp } from "./smtp.ts";
import { tcp } from "./tcp.ts";
import { udp } from "./udp.ts";

const types = {
  tcp,
  file,
  process: processes,
  interface: networkInterface,
  script,
  custom,
  http,
  smtp,
  imap,
  pop,
  ldap,
  mysql,
  pgsql,
  redis,
  ftp,
  ping,
  route,
  dns,
  udp,
  ntp,
  agent,
  sip,
  radius,
  grpc,
};

type ParametersOf<T> = T extends CheckType<infer P> ? P : never;
export type TypeParameters = ParametersOf<(typeof types)[keyof typeof types]>;

/** The type that these parameters belong to; it takes no others. */
export function typeOf({ type }: CheckParameters): CheckType<CheckParameters> {
  return types[type] as CheckType<CheckParameters>;
}
