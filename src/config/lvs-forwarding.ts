/** `lvs_method` and `tunnel`: how packets get to a server. */
import type { Forwarding, Tunnel } from "../lvs/parameters.ts";
import type { TunnelValues } from "./lvs-server-schema.ts";
import type { Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";

export interface MethodValues {
  readonly lvs_method?: Forwarding["method"] | undefined;
  readonly tunnel?: Loose<TunnelValues> | undefined;
}

/** What a server says, and where it says nothing, what the virtual server says. */
export function resolveForwarding(own: MethodValues, usual: MethodValues, path: Path, report: Report): Forwarding {
  const method = own.lvs_method ?? usual.lvs_method ?? "nat";
  if (method !== "tun") {
    if (own.tunnel !== undefined) {
      report.error(
        [...path, "tunnel"],
        `has no effect with lvs_method: ${method}: write lvs_method: tun, or remove it`,
      );
    }
    return { method };
  }
  return { method, tunnel: resolveTunnel(own.tunnel ?? usual.tunnel ?? {}) };
}

function resolveTunnel({ type = "ipip", port, checksum = "nocsum" }: Loose<TunnelValues>): Tunnel {
  switch (type) {
    case "ipip":
      return { type };
    case "gre":
      return { type, checksum };
    case "gue":
      return { type, port: port ?? 0, checksum };
  }
}

/** Where it is written, once. */
export function checkTunnel(values: Loose<TunnelValues> | undefined, path: Path, report: Report): void {
  if (values === undefined) return;
  const { type = "ipip", port, checksum } = values;
  if (type === "gue" && !report.isGiven([...path, "port"])) {
    report.error(path, "port is missing: type gue needs the UDP port that the servers take packets on");
  }
  if (type !== "gue" && port !== undefined)
    report.error([...path, "port"], `has no effect with type: ${type}: remove it`);
  if (type === "ipip" && checksum !== undefined) {
    report.error([...path, "checksum"], "has no effect with type: ipip: write type: gue or gre, or remove it");
  }
  if (type === "gre" && checksum === "remcsum") {
    report.error([...path, "checksum"], "expected nocsum or csum with type: gre, got remcsum, which only gue has");
  }
}
