/** `type: route` */
import type { RouteParameters } from "../healthchecks/route.ts";
import { parseAddress } from "../wire/address.ts";
import { canonicalAddress, familyOfText } from "./addresses.ts";
import { checkSchema } from "./check-schema.ts";
import { standard, unset } from "./keys.ts";
import { address, boolean, interfaceName, oneOf, text, whole } from "./kinds.ts";

const mainTable = 254;

const destination = text("default or a prefix like 192.0.2.0/24", (value) => {
  if (value === "default") return undefined;
  const [network = "", length = "", ...rest] = value.split("/");
  const bytes = parseAddress(network);
  if (bytes === undefined || rest.length > 0) return "";
  if (!/^\d{1,3}$/.test(length) || Number(length) > bytes.length * 8) return "a prefix length is missing";
  const host = bytes.some((byte, i) => (byte & (0xff >> Math.min(8, Math.max(0, Number(length) - i * 8)))) !== 0);
  return host ? "bits are set behind the prefix" : undefined;
});

export const routeSchema = checkSchema({
  keys: {
    destination: standard(destination, "default", "The route that must be there."),
    family: standard(oneOf("ipv4", "ipv6"), "ipv4", "Which default route; that of a prefix follows from it."),
    table: standard(whole(1, 0xffff_ffff), mainTable, "Number of the routing table; 254 is the main one."),
    via: unset(address(), "any", "Gateway that the route must lead to."),
    dev: unset(interfaceName(), "any", "Interface that the route must lead through."),
    gateway_reachable: standard(
      boolean(),
      true,
      "Whether a gateway of the route must answer ARP or neighbour solicitations. The kernel needs up to 10 s to find out that one has gone; ping is faster.",
    ),
  },
  resolve(values, path, report): RouteParameters | undefined {
    const { destination = "default", via, dev, table = mainTable, gateway_reachable: reachable = true } = values;
    const wanted = values.family === "ipv6" ? 6 : 4;
    const [network = "", length = "0"] =
      destination === "default" ? [wanted === 4 ? "0.0.0.0" : "::"] : destination.split("/");
    const family = familyOfText(network);
    if (values.family !== undefined && family !== wanted) {
      report.error(
        [...path, "family"],
        `${destination} is an IPv${family} prefix: remove family, or write ipv${family}`,
      );
    }
    const bytes = parseAddress(network);
    return {
      type: "route",
      family,
      destination: bytes === undefined ? network : canonicalAddress(bytes),
      prefixLength: Number(length),
      table,
      ...(via === undefined ? {} : { gateway: via }),
      ...(dev === undefined ? {} : { interface: dev }),
      reachable,
    };
  },
  describe: (route: RouteParameters) => ({
    destination: route.prefixLength === 0 ? "default" : `${route.destination}/${route.prefixLength}`,
    family: route.family === 4 ? "ipv4" : "ipv6",
    table: route.table,
    via: route.gateway,
    dev: route.interface,
    gateway_reachable: route.reachable,
  }),
});
