/**
 * What becomes of virtual servers and their servers, as it is told to others: one word for each change and never the same
 * one twice in a row, in keepalived's lines for FIFOs, and as JSON and environment for whoever wants more. Pure.
 */
import type { ServiceAddress, VirtualServerParameters } from "../lvs/parameters.ts";
import type { LvsEvent } from "../lvs/status.ts";
import { serviceText } from "../lvs/text.ts";

export interface LvsNews {
  readonly kind: "virtual_server" | "real_server";
  /** "https", "192.0.2.21:443 of https" */
  readonly name: string;
  readonly virtualServer: string;
  /** "192.0.2.21:443" */
  readonly server?: string;
  readonly state: "up" | "down";
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  /** ISO 8601 */
  readonly time: string;
}

export class LvsSubjects {
  readonly #told = new Map<string, LvsNews["state"]>();

  /** Undefined when it is nothing to those who want to know: drains are the operator's own doing, for one. */
  take(event: LvsEvent): LvsNews | undefined {
    const news = newsOf(event);
    if (news === undefined) return undefined;
    const key = lvsKey(news);
    if (this.#told.get(key) === news.state) return undefined;
    this.#told.set(key, news.state);
    return news;
  }

  /** Forgets all but these virtual servers and servers. */
  keep(virtualServers: readonly VirtualServerParameters[]): void {
    const present = new Set(
      virtualServers.flatMap(({ name, servers }) => [
        `virtual_server ${name}`,
        ...servers.map((server) => `real_server ${server.name} of ${name}`),
      ]),
    );
    for (const key of this.#told.keys()) if (!present.has(key)) this.#told.delete(key);
  }
}

export function lvsKey({ kind, name }: Pick<LvsNews, "kind" | "name">): string {
  return `${kind} ${name}`;
}

function newsOf(event: LvsEvent): LvsNews | undefined {
  const { at: time } = event;
  if (event.type === "quorum") {
    const { virtual_server: name, up, reason } = event;
    const [from, to] = up ? ["down", "up"] : ["up", "down"];
    return { kind: "virtual_server", name, virtualServer: name, state: up ? "up" : "down", from, to, reason, time };
  }
  if (event.type !== "server" || (event.to !== "up" && event.to !== "down")) return undefined;
  const { virtual_server: virtualServer, server, from, to, reason } = event;
  return {
    kind: "real_server",
    name: `${server} of ${virtualServer}`,
    virtualServer,
    server,
    state: to,
    from,
    to,
    reason,
    time,
  };
}

/** The same under the same names in JSON and, in capitals and with VIPRD_ in front, in the environment. */
export function lvsDocument(
  news: LvsNews,
  routerId: string,
  parameters: VirtualServerParameters | undefined,
): Readonly<Record<string, unknown>> {
  const { kind, virtualServer, server, state, from, to, reason, time } = news;
  return {
    version: 1,
    router_id: routerId,
    kind,
    name: server ?? virtualServer,
    state,
    from,
    to,
    reason,
    time,
    ...(server === undefined ? {} : { virtual_server: virtualServer }),
    services: (parameters?.services ?? []).map(serviceText),
  };
}

/** `VS [192.0.2.1]:tcp:80 UP`, `RS [10.0.0.2]:tcp:80 [192.0.2.1]:tcp:80 DOWN`; without the NUL that keepalived adds. */
export function lvsFifoLine(news: LvsNews, parameters: VirtualServerParameters): string {
  const word = news.state.toUpperCase();
  const service = keepalivedService(parameters);
  if (news.server === undefined) return `VS ${service} ${word}\n`;
  const server = parameters.servers.find(({ name }) => name === news.server);
  const [first] = parameters.services;
  const protocol = first?.kind === "address" ? first.protocol : "tcp";
  const port = server?.port ?? (first?.kind === "address" ? first.port : 0);
  return `RS [${server?.address ?? news.server}]:${protocol}:${port} ${service} ${word}\n`;
}

/** keepalived names a group by its name and the port. */
function keepalivedService({ name, services }: VirtualServerParameters): string {
  const [first, ...others] = services;
  if (first === undefined || others.length > 0) return `[${name}]:${portOf(first)}`;
  return first.kind === "mark" ? `FWM ${first.mark}` : `[${first.address}]:${first.protocol}:${first.port}`;
}

function portOf(service: ServiceAddress | undefined): number {
  return service?.kind === "address" ? service.port : 0;
}
