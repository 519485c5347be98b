/**
 * A check that is written where a server is: which of its keys are filled in from the server, and what one that asks
 * somewhere else writes.
 */
import type { z } from "zod";
import type { Forwarding, ServiceAddress } from "../lvs/parameters.ts";
import type { CheckSchema } from "./check-schema.ts";
import { standard, unset } from "./keys.ts";
import { boolean, text, whole } from "./kinds.ts";

/** What is checked: a real server, as one virtual server has it. */
export interface CheckTarget {
  readonly virtualServer: string;
  /** Canonical text. */
  readonly address: string;
  /** Undefined when the server has no port of its own. */
  readonly port: number | undefined;
  /** By which way clients' packets get there. */
  readonly method: Forwarding["method"];
  /** Of the virtual server; none when they cannot be told. */
  readonly services: readonly ServiceAddress[];
}

type Keys = Readonly<Record<string, z.ZodType>>;
type Aimed = Pick<CheckSchema, "keys" | "ownPort">;
type Values = Readonly<Record<string, unknown>>;

const path = text("a path that begins with /, as in /health?full=1", (value) =>
  /^\/[^\s#]*$/.test(value) ? undefined : "",
);

/** The keys of a type, less what the server fills in. */
export function inlineKeys(type: string, { keys, ownPort }: Aimed): Keys {
  const { host, port, url, ...rest } = keys;
  return {
    ...(type === "http" && url !== undefined ? httpKeys(url) : url === undefined ? {} : { url }),
    ...(host === undefined ? {} : { host: unset(host, "the address of the server", describe(host)) }),
    ...(port === undefined ? {} : ownPort ? { port } : { port: unset(port, "the port of the server", describe(port)) }),
    ...rest,
    ...(type === "http" || type === "tcp" ? { via_vip: viaVip } : {}),
  };
}

const viaVip = standard(
  boolean(),
  false,
  "Connects to the address and port of the service, and the kernel takes the connection to this server only: the whole way of a client is asked, and not the server alone. Plain connections only, and services of an address.",
);

function describe(schema: z.ZodType): string {
  return schema.meta()?.description ?? "";
}

function httpKeys(url: z.ZodType): Keys {
  return {
    path: unset(path, "/", "What the server is asked for; instead of url."),
    tls: unset(boolean(), "false", "With path: https instead of http."),
    port: unset(whole(1, 65_535), "the port of the server", "Port to connect to."),
    url: unset(url, "path", "What the server is asked for, with the name it is known by; connected to is the server."),
  };
}

/** The values as they would stand in `health_check`, or why the server does not say enough. */
export function aimAt(type: string, values: Values, { keys, ownPort }: Aimed, target: CheckTarget): Values | "port" {
  const { address, port } = target;
  if (type === "http") return aimHttp(values, target);
  const filled: Record<string, unknown> = { ...values };
  if (keys.host !== undefined) filled.host ??= address;
  if (keys.port !== undefined && !ownPort) {
    filled.port ??= port;
    if (filled.port === undefined) return "port";
  }
  if (type === "script") return { ...filled, script: fillIn(values.script, target) };
  if (type === "custom") return { ...filled, options: fillIn(values.options, target) };
  return filled;
}

/** Connects to the server; the name in a URL goes into the request and is what the certificate has to be for. */
function aimHttp(values: Values, target: CheckTarget): Values | "port" {
  const { path = "/", tls, url, port = target.port, ...rest } = values;
  const { address } = target;
  if (typeof url !== "string") {
    if (port === undefined) return "port";
    const host = address.includes(":") ? `[${address}]` : address;
    // The name that is asked for is also the one that the certificate has.
    const virtualhost = /^([A-Za-z0-9_.-]+)(:\d+)?$/.exec(String(values.virtualhost))?.[1];
    const named = tls === true && typeof values.virtualhost === "string" && virtualhost !== undefined;
    const name = named ? { sni_name: virtualhost } : {};
    return {
      ...name,
      ...rest,
      // Not resolved as a reference: a path that begins with // would name another host.
      url: new URL(`${tls === true ? "https" : "http"}://${host}:${port}${path}`).href,
    };
  }
  const parsed = new URL(url);
  const { hostname, host } = parsed;
  // A port that is written there is meant; the one that goes with the scheme is not written.
  if (parsed.port === "" && port !== undefined) parsed.port = String(port);
  return {
    ...(hostname === address || hostname === `[${address}]` ? {} : { address }),
    // What is asked for stays what is written.
    ...(host === parsed.host ? {} : { virtualhost: host }),
    ...rest,
    url: parsed.href,
  };
}

/** `{address}`, `{port}` and `{service}` in all text. */
function fillIn(value: unknown, target: CheckTarget): unknown {
  if (typeof value === "string") return fillText(value, target);
  if (Array.isArray(value)) return value.map((each) => fillIn(each, target));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fillIn(inner, target)]));
}

function fillText(value: string, { virtualServer, address, port }: CheckTarget): string {
  const names: Readonly<Record<string, string>> = {
    address,
    port: port === undefined ? "0" : String(port),
    service: virtualServer,
  };
  return value.replace(/\{(address|port|service)\}/g, (whole, name: string) => names[name] ?? whole);
}
