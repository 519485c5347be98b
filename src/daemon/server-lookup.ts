/** Finds the servers that an operator names. Pure. */
import { nearest } from "../config/suggest.ts";
import type { LvsParameters, RealServerParameters, VirtualServerParameters } from "../lvs/parameters.ts";
import { formatAddress, parseAddress } from "../wire/address.ts";
import { names, type ServerReference } from "./admin-entries.ts";

export interface FoundServer {
  readonly virtualServer: VirtualServerParameters;
  readonly server: RealServerParameters;
}

/** "192.0.2.21", "192.0.2.21:443", "2001:db8::21", "[2001:db8::21]", "[2001:db8::21]:443" */
export function parseServer(text: string): Pick<ServerReference, "address" | "port"> | undefined {
  const whole = parseAddress(text);
  if (whole !== undefined) return { address: formatAddress(whole) };
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  const [, six, four, digits] = match ?? [];
  const address = parseAddress(six ?? four ?? "");
  // Brackets are for IPv6 and nothing else.
  if (address === undefined || (address.length === 16) !== (six !== undefined)) return undefined;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return { address: formatAddress(address), ...(port === undefined ? {} : { port }) };
}

/** In file order; or why there is none, with what is near. */
export function findServers(lvs: LvsParameters | undefined, reference: ServerReference): FoundServer[] | string {
  const { service } = reference;
  const all = lvs?.virtualServers ?? [];
  if (all.length === 0) return "no virtual server is configured";
  const asked = all.filter(({ name }) => service === undefined || name === service);
  if (service !== undefined && asked.length === 0) {
    const guess = nearest(
      service,
      all.map(({ name }) => name),
    );
    return `no virtual server ${JSON.stringify(service)}${guess === undefined ? listOf(all.map(({ name }) => name)) : `; did you mean ${guess}?`}`;
  }
  const found = asked.flatMap((virtualServer) =>
    virtualServer.servers
      .filter((server) => names(reference, virtualServer.name, server))
      .map((server) => ({ virtualServer, server })),
  );
  return found.length > 0 ? found : nothingFound(reference, asked, all);
}

function nothingFound(
  reference: ServerReference,
  asked: readonly VirtualServerParameters[],
  all: readonly VirtualServerParameters[],
): string {
  const { address, port, service } = reference;
  const text = port === undefined ? address : address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  const where = service === undefined ? "" : ` in ${service}`;
  const sorry = asked.find(({ sorryServer }) => sorryServer?.address === address);
  if (sorry !== undefined) return `${text} is the sorry server of ${sorry.name}: it serves when nobody else does`;
  const elsewhere = all.filter(({ servers }) =>
    servers.some((server) => names({ address, ...(port === undefined ? {} : { port }) }, "", server)),
  );
  if (service !== undefined && elsewhere.length > 0) {
    return `no server ${text}${where}; it serves ${elsewhere.map(({ name }) => name).join(", ")}`;
  }
  const texts = [...new Set(asked.flatMap(({ servers }) => servers.map(({ name }) => name)))];
  const ports = [
    ...new Set(
      asked.flatMap(({ servers }) => servers.filter((each) => each.address === address).map(({ name }) => name)),
    ),
  ];
  if (ports.length > 0) return `no server ${text}${where}; that address serves as ${ports.join(", ")}`;
  const guess =
    nearest(text, texts) ?? nearest(text, new Set(asked.flatMap(({ servers }) => servers.map((each) => each.address))));
  return `no server ${text}${where}${guess === undefined ? listOf(texts) : `; did you mean ${guess}?`}`;
}

/** "; there are: a, b and 3 more" */
function listOf(texts: readonly string[]): string {
  if (texts.length === 0) return "; it has none";
  const shown = texts.slice(0, 8).join(", ");
  return `; there are: ${shown}${texts.length > 8 ? ` and ${texts.length - 8} more` : ""}`;
}
