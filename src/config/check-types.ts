/** The table of the types of checks, as the file knows them: the same names as in healthchecks/types.ts. */
import type { CheckTypeName } from "../healthchecks/parameters.ts";
import { agentSchema } from "./check-agent.ts";
import { customSchema } from "./check-custom.ts";
import { mysqlSchema, pgsqlSchema } from "./check-database.ts";
import { dnsSchema } from "./check-dns.ts";
import { fileSchema } from "./check-file.ts";
import { ftpSchema } from "./check-ftp.ts";
import { grpcSchema } from "./check-grpc.ts";
import { httpSchema } from "./check-http.ts";
import { interfaceSchema } from "./check-interface.ts";
import { ldapSchema } from "./check-ldap.ts";
import { imapSchema, popSchema } from "./check-mailbox.ts";
import { ntpSchema } from "./check-ntp.ts";
import { pingSchema } from "./check-ping.ts";
import { processSchema } from "./check-process.ts";
import { radiusSchema } from "./check-radius.ts";
import { redisSchema } from "./check-redis.ts";
import { routeSchema } from "./check-route.ts";
import type { CheckSchema } from "./check-schema.ts";
import { scriptSchema } from "./check-script.ts";
import { sipSchema } from "./check-sip.ts";
import { smtpSchema } from "./check-smtp.ts";
import { tcpSchema } from "./check-tcp.ts";
import { udpSchema } from "./check-udp.ts";

export const checkSchemas: Readonly<Record<CheckTypeName, CheckSchema>> = {
  tcp: tcpSchema,
  file: fileSchema,
  process: processSchema,
  interface: interfaceSchema,
  script: scriptSchema,
  custom: customSchema,
  http: httpSchema,
  smtp: smtpSchema,
  imap: imapSchema,
  pop: popSchema,
  ldap: ldapSchema,
  mysql: mysqlSchema,
  pgsql: pgsqlSchema,
  redis: redisSchema,
  ftp: ftpSchema,
  ping: pingSchema,
  route: routeSchema,
  dns: dnsSchema,
  udp: udpSchema,
  ntp: ntpSchema,
  agent: agentSchema,
  sip: sipSchema,
  radius: radiusSchema,
  grpc: grpcSchema,
};
