/** `type: udp` */
import { z } from "zod";
import type { UdpParameters } from "../healthchecks/udp.ts";
import { checkSchema } from "./check-schema.ts";
import { checkHost } from "./check-tcp.ts";
import { formatDuration } from "./duration.ts";
import { required, standard, unset } from "./keys.ts";
import { address, duration, expected, quoteHint, text, whole } from "./kinds.ts";

const longest = 65_507;
const silence = 200;
const hex = text("hexadecimal digits, two for each byte", (value) =>
  /^([0-9a-f]{2})*$/i.test(value) && value.length <= 2 * longest ? undefined : "",
);
const replyRule = "true, false or hexadecimal digits, two for each byte, X for any digit";
const reply = z
  .union([z.boolean(), z.string()], { error: ({ input }) => expected(replyRule, input, quoteHint(input)) })
  .transform((value, context) => {
    if (typeof value === "boolean" || /^([0-9a-fx]{2})+$/i.test(value)) return value;
    context.issues.push({ code: "custom", input: value, message: expected(replyRule, value) });
    return z.NEVER;
  })
  .meta({ "x-bounds": replyRule });

export const udpSchema = checkSchema({
  keys: {
    host: required(address(), "Address to send to. Names are not looked up."),
    port: required(whole(1, 65_535), "Port to send to."),
    source: unset(address(), "chosen by the kernel", "Address to send from, of the family of host."),
    payload: unset(hex, "nothing", "What is sent, in hexadecimal."),
    require_reply: standard(
      reply,
      false,
      "Whether a reply is needed, or with which bytes it must begin. Without one it is enough that no host says that the port is closed.",
    ),
    min_reply_length: standard(whole(0, longest), 0, "Bytes that a reply has at least."),
    max_reply_length: standard(whole(0, longest), longest, "Bytes that a reply has at most."),
    wait: standard(
      duration(1, 60_000),
      "200ms",
      "Without require_reply: how long a report that the port is closed is waited for; shorter than timeout.",
    ),
  },
  resolve(values, path, report): UdpParameters | undefined {
    const { host, port, source, payload = "", require_reply = false } = values;
    const { min_reply_length: least = 0, max_reply_length: most = longest, wait = silence } = values;
    checkHost(host, source, path, report);
    if (least > most)
      report.error([...path, "max_reply_length"], `expected at least min_reply_length, ${least}, got ${most}`);
    if (values.wait !== undefined && require_reply !== false) {
      report.warn([...path, "wait"], `has no effect with require_reply: ${formatDuration(wait)} is for silence`);
    }
    if (host === undefined || port === undefined) return undefined;
    return {
      type: "udp",
      host,
      port,
      ...(source === undefined ? {} : { source }),
      payload: payload.toLowerCase(),
      ...(require_reply === false ? {} : { reply: require_reply === true ? "" : require_reply.toLowerCase() }),
      minReplyLength: least,
      maxReplyLength: most,
      wait: require_reply === false ? wait : silence,
    };
  },
  agree({ reply, wait }, { timeout }, path, report) {
    if (reply !== undefined || wait < timeout) return;
    const limit = `shorter than timeout, ${formatDuration(timeout)}`;
    report.error([...path, "wait"], `expected a duration ${limit}, got ${formatDuration(wait)}: no run could succeed`);
  },
  describe: ({ host, port, source, payload, reply, minReplyLength, maxReplyLength, wait }: UdpParameters) => ({
    host,
    port,
    source,
    payload,
    require_reply: reply === undefined ? false : reply === "" ? true : reply.replaceAll("x", "X"),
    min_reply_length: minReplyLength,
    max_reply_length: maxReplyLength,
    wait: reply === undefined ? formatDuration(wait) : undefined,
  }),
});
