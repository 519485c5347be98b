/** `type: agent` */
import type { AgentParameters } from "../healthchecks/agent.ts";
import { checkSchema } from "./check-schema.ts";
import { checkHost } from "./check-tcp.ts";
import { escapedText, writeEscapes } from "./check-tcp-steps.ts";
import { required, unset } from "./keys.ts";
import { address, whole } from "./kinds.ts";

export const agentSchema = checkSchema({
  steady: true,
  initial: "up",
  ownPort: true,
  keys: {
    host: required(address(), "Address of the agent. Names are not looked up."),
    port: required(whole(1, 65_535), "Port of the agent."),
    source: unset(address(), "chosen by the kernel", "Address to connect from, of the family of host."),
    send: unset(
      escapedText("text, with \\r, \\n, \\t, \\0, \\xHH and \\\\"),
      "nothing",
      "Sent first; with \\n at its end, if the agent reads a line.",
    ),
  },
  resolve({ host, port, source, send }, path, report): AgentParameters | undefined {
    checkHost(host, source, path, report);
    if (host === undefined || port === undefined) return undefined;
    return {
      type: "agent",
      host,
      port,
      ...(source === undefined ? {} : { source }),
      ...(send === undefined ? {} : { send }),
    };
  },
  describe: ({ host, port, source, send }: AgentParameters) => ({
    host,
    port,
    source,
    send: send === undefined ? undefined : writeEscapes(send),
  }),
});
