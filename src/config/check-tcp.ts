/** `type: tcp` */
import type { TcpParameters } from "../healthchecks/tcp.ts";
import { familyOfText } from "./addresses.ts";
import { checkSchema } from "./check-schema.ts";
import { required, unset } from "./keys.ts";
import { address, whole } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";

export const tcpSchema = checkSchema({
  keys: {
    host: required(address(), "Address to connect to. Names are not looked up."),
    port: required(whole(1, 65_535), "Port to connect to."),
    source: unset(address(), "chosen by the kernel", "Address to connect from, of the family of host."),
  },
  resolve({ host, port, source }, path, report): TcpParameters | undefined {
    if (host !== undefined && source !== undefined) checkSource(host, source, path, report);
    if (host === undefined || port === undefined) return undefined;
    return { type: "tcp", host, port, ...(source === undefined ? {} : { source }) };
  },
  describe: ({ host, port, source }: TcpParameters) => ({ host, port, source }),
});

/** The kernel connects within one family only. */
export function checkSource(host: string, source: string, path: Path, report: Report): void {
  const family = familyOfText(host);
  if (familyOfText(source) === family) return;
  report.error([...path, "source"], `expected an IPv${family} address, as host is one, got ${source}`);
}
