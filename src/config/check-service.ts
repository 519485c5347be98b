/** The keys that the checks of services have in common. */
import { checkHost } from "./check-tcp.ts";
import { required, unset } from "./keys.ts";
import { address, whole } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";

/** `ports` in words: "25; 465 with tls: implicit". */
export function endpointKeys(ports: string) {
  return {
    host: required(address(), "Address to connect to. Names are not looked up."),
    port: unset(whole(1, 65_535), ports, "Port to connect to."),
    source: unset(address(), "chosen by the kernel", "Address to connect from, of the family of host."),
  };
}

interface EndpointValues {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly source?: string | undefined;
}

export interface ResolvedEndpoint {
  readonly host: string;
  readonly port: number;
  readonly source?: string;
}

/** Undefined when there is no host. */
export function resolveEndpoint(
  { host, port, source }: EndpointValues,
  standardPort: number,
  path: Path,
  report: Report,
): ResolvedEndpoint | undefined {
  checkHost(host, source, path, report);
  if (host === undefined) return undefined;
  return { host, port: port ?? standardPort, ...(source === undefined ? {} : { source }) };
}

export function describeEndpoint({ host, port, source }: ResolvedEndpoint) {
  return { host, port, source };
}
