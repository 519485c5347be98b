/** `type: tcp` */
import type { TcpParameters } from "../healthchecks/tcp.ts";
import { familyOfText, isLinkLocalText } from "./addresses.ts";
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
    checkHost(host, source, path, report);
    if (host === undefined || port === undefined) return undefined;
    return { type: "tcp", host, port, ...(source === undefined ? {} : { source }) };
  },
  describe: ({ host, port, source }: TcpParameters) => ({ host, port, source }),
});

/** What would fail in every run, for the types that cannot name an interface. */
export function checkHost(host: string | undefined, source: string | undefined, path: Path, report: Report): void {
  if (host === undefined) return;
  if (source !== undefined) checkSource(host, source, path, report);
  if (isLinkLocalText(host)) {
    report.error([...path, "host"], `${host} is link-local, which every interface has: only ping can ask through one`);
  }
}

/** The kernel connects within one family only. */
export function checkSource(host: string, source: string, path: Path, report: Report): void {
  const family = familyOfText(host);
  if (familyOfText(source) === family) return;
  report.error([...path, "source"], `expected an IPv${family} address, as host is one, got ${source}`);
}
