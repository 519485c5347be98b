/** `type: grpc` */
import type { GrpcParameters } from "../healthchecks/grpc.ts";
import { checkSchema } from "./check-schema.ts";
import { checkHost } from "./check-tcp.ts";
import { describeServiceTls, resolveServiceTls, serviceTlsKeys } from "./check-tls.ts";
import { required, unset } from "./keys.ts";
import { address, text, whole } from "./kinds.ts";

const service = text("the name of a service, as in package.Service", (value) =>
  /^[\x21-\x7e]{1,255}$/.test(value) ? undefined : "",
);
const authority = text("a host name or address, perhaps with a port", (value) =>
  /^(\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/i.test(value) ? undefined : "",
);

export const grpcSchema = checkSchema({
  keys: {
    host: required(address(), "Address to connect to. Names are not looked up."),
    port: required(whole(1, 65_535), "Port to connect to."),
    source: unset(address(), "chosen by the kernel", "Address to connect from, of the family of host."),
    service: unset(service, "the server as a whole", "The service that has to be served."),
    authority: unset(authority, "host and port", "What the server is told that it is called (:authority)."),
    ...serviceTlsKeys("implicit"),
  },
  resolve(values, path, report): GrpcParameters | undefined {
    const { host, port, source, service: name = "", authority: called } = values;
    checkHost(host, source, path, report);
    const tls = resolveServiceTls(values, path, report);
    if (host === undefined || port === undefined) return undefined;
    return {
      type: "grpc",
      host,
      port,
      ...(source === undefined ? {} : { source }),
      service: name,
      ...(called === undefined ? {} : { authority: called }),
      ...tls,
    };
  },
  describe: ({ host, port, source, service: name, authority: called, tls }: GrpcParameters) => ({
    host,
    port,
    source,
    service: name === "" ? undefined : name,
    authority: called,
    ...describeServiceTls(tls),
  }),
});
