/** `type: tcp` */
import { z } from "zod";
import type { TcpParameters } from "../healthchecks/tcp.ts";
import { familyOfText, isLinkLocalText } from "./addresses.ts";
import { checkSchema } from "./check-schema.ts";
import { describeStep, resolveSteps, steps } from "./check-tcp-steps.ts";
import { describeServiceTls, resolveServiceTls, serviceTlsKeys } from "./check-tls.ts";
import { required, unset } from "./keys.ts";
import { address, text, whole } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";

const protocolRule = "the name of a protocol, as in h2 or http/1.1";
const protocols = z
  .array(text(protocolRule, (value) => (/^[\x21-\x7e]{1,255}$/.test(value) ? undefined : "")))
  .meta({ "x-bounds": "a list of names, as in [h2, http/1.1]" });

export const tcpSchema = checkSchema({
  keys: {
    host: required(address(), "Address to connect to. Names are not looked up."),
    port: required(whole(1, 65_535), "Port to connect to."),
    source: unset(address(), "chosen by the kernel", "Address to connect from, of the family of host."),
    steps: unset(steps, "none", "What is sent and what has to be answered, one after the other."),
    alpn: unset(protocols, "none", "With tls: names of protocols, of which the server has to choose one (ALPN)."),
    ...serviceTlsKeys("implicit"),
  },
  resolve(values, path, report): TcpParameters | undefined {
    const { host, port, source, alpn } = values;
    checkHost(host, source, path, report);
    const { tls } = resolveServiceTls(values, path, report);
    if (alpn !== undefined && tls === undefined)
      report.error([...path, "alpn"], "is agreed on within TLS: add tls: implicit");
    if (alpn?.length === 0) report.error([...path, "alpn"], "expected at least one name, got an empty list");
    const todo = values.steps === undefined ? undefined : resolveSteps(values.steps, [...path, "steps"], report);
    if (host === undefined || port === undefined) return undefined;
    return {
      type: "tcp",
      host,
      port,
      ...(source === undefined ? {} : { source }),
      ...(todo === undefined ? {} : { steps: todo }),
      ...(alpn === undefined || tls === undefined ? {} : { alpn: alpn.flatMap((name) => name ?? []) }),
      ...(tls === undefined ? {} : { tls }),
    };
  },
  describe: ({ host, port, source, steps: todo, alpn, tls, via }: TcpParameters, mask) => ({
    host,
    port,
    source,
    via_vip: via === undefined ? undefined : true,
    steps: todo?.map((step) => describeStep(step, mask)),
    alpn,
    ...(tls === undefined ? {} : describeServiceTls(tls)),
  }),
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
