/** `type: ping` */
import type { PingParameters } from "../healthchecks/ping.ts";
import { isLinkLocalText } from "./addresses.ts";
import { checkSchema } from "./check-schema.ts";
import { checkSource } from "./check-tcp.ts";
import { required, unset } from "./keys.ts";
import { address, interfaceName } from "./kinds.ts";

export const pingSchema = checkSchema({
  keys: {
    host: required(address(), "Address that has to answer. Names are not looked up."),
    source: unset(address(), "chosen by the kernel", "Address to ask from, of the family of host."),
    interface: unset(interfaceName(), "chosen by the kernel", "Interface to ask through; a link-local host needs one."),
  },
  resolve({ host, source, interface: device }, path, report): PingParameters | undefined {
    if (host === undefined) return undefined;
    if (source !== undefined) checkSource(host, source, path, report);
    if (isLinkLocalText(host) && device === undefined) {
      report.error([...path, "host"], `${host} is link-local, which every interface has: add interface`);
    }
    return {
      type: "ping",
      host,
      ...(source === undefined ? {} : { source }),
      ...(device === undefined ? {} : { interface: device }),
    };
  },
  describe: ({ host, source, interface: device }: PingParameters) => ({ host, source, interface: device }),
});
