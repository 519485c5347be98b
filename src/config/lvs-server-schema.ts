/** The servers of a virtual server, and what all of them have in common with it. */
import { z } from "zod";
import { checksOfServer } from "./health-check.ts";
import { required, standard, unset } from "./keys.ts";
import { address, boolean, duration, expected, oneOf, whole } from "./kinds.ts";
import { addressRange } from "./lvs-kinds.ts";
import { told } from "./notify-schema.ts";

const day = 24 * 3_600_000;

export const tunnelBlock = z.strictObject({
  type: standard(oneOf("ipip", "gue", "gre"), "ipip", "How packets to the server are wrapped."),
  port: unset(whole(1, 65_535), "none", "With type gue: UDP port that the server takes them on. Required there."),
  checksum: unset(
    oneOf("nocsum", "csum", "remcsum"),
    "nocsum",
    "With type gue or gre: the checksum of the wrapping; remcsum with gue only.",
  ),
});

/** Of a virtual server for all its servers, and of a server for itself. */
export const methodKeys = (method: string) => ({
  lvs_method: method === "nat" ? standard(methods(), "nat", methodText) : unset(methods(), method, methodText),
  tunnel: unset(
    tunnelBlock.meta({ "x-bounds": "a map, see below" }),
    method === "nat" ? "type ipip" : "that of the virtual server",
    "With lvs_method: tun, the kind of tunnel.",
  ),
});

const methodText =
  "How packets get to the server: nat (answers come back through this host), dr (the server has the address of the service itself, and answers the client), tun (the same through a tunnel).";

/** What ipvsadm and ldirectord call them. */
const otherMethods: ReadonlyMap<string, string> = new Map([
  ["masq", "nat"],
  ["masquerading", "nat"],
  ["gate", "dr"],
  ["gatewaying", "dr"],
  ["direct", "dr"],
  ["ipip", "tun"],
  ["tunnel", "tun"],
]);

function methods() {
  const words = oneOf("nat", "dr", "tun");
  const error = ({ input }: { readonly input?: unknown }) => {
    const word = String(input).toLowerCase();
    const meant = words.options.find((option) => option === word) ?? otherMethods.get(word);
    return expected("nat, dr or tun", input, meant === undefined ? undefined : `write ${meant}`);
  };
  return z.enum(words.options, { error }).meta({ "x-bounds": "nat, dr or tun" });
}

const failureBlock = z.strictObject({
  quiesce_then_remove: required(duration(0, day), "Weight 0 at first; taken out after this time."),
});
export const onFailure = z
  .union([oneOf("quiesce", "remove"), failureBlock])
  .meta({ "x-bounds": "quiesce, remove or { quiesce_then_remove: 30s }" });

export const failureText =
  "What becomes of a server that is down. remove: it is taken out, and its connections end. quiesce: weight 0, its connections go on.";

export const weight = () => whole(0, 65_535);
const threshold = () => whole(0, 65_535);

export const realServerBlock = z.strictObject({
  address: required(addressRange(), "Address of the server; a range or a network stands for a server each."),
  port: unset(
    whole(0, 65_535),
    "that of the service",
    "Port of the server. Another one than the service's with nat only.",
  ),
  weight: unset(weight(), "that of the virtual server", "Its share. 0: it gets nothing new, and keeps what it has."),
  ...methodKeys("that of the virtual server"),
  uthreshold: standard(
    threshold(),
    0,
    "Connections, inactive ones included, above which it gets nothing new; 0 = no limit.",
  ),
  lthreshold: standard(
    threshold(),
    0,
    "Connections below which it gets new ones again; 0 = three quarters of uthreshold.",
  ),
  check: unset(
    checksOfServer,
    "that of the virtual server",
    "By what it is up: all of them have to be. [] = always up.",
  ),
  alpha: unset(boolean(), "that of the virtual server", "Whether it waits for its first result."),
  inhibit_on_failure: unset(boolean(), "that of the virtual server", "keepalived's word for on_failure: quiesce."),
  on_failure: unset(onFailure, "that of the virtual server", failureText),
  notify_up: unset(told, "that of the virtual server", "Run when it has come up."),
  notify_down: unset(told, "that of the virtual server", "Run when it has gone down."),
});

export const sorryServerBlock = z.strictObject({
  address: required(address(), "Address of the server that stands in."),
  port: unset(whole(0, 65_535), "that of the service", "Its port. Another one than the service's with nat only."),
  ...methodKeys("that of the virtual server"),
  inhibit: standard(
    boolean(),
    false,
    "While it stands in, real servers that are up stay in the table with weight 0, so that their connections go on.",
  ),
});

export type RealServerValues = z.output<typeof realServerBlock>;
export type SorryServerValues = z.output<typeof sorryServerBlock>;
export type TunnelValues = z.output<typeof tunnelBlock>;
