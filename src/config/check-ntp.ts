/** `type: ntp` */
import type { NtpParameters } from "../healthchecks/ntp.ts";
import { checkSchema } from "./check-schema.ts";
import { checkHost } from "./check-tcp.ts";
import { formatDuration } from "./duration.ts";
import { required, standard, unset } from "./keys.ts";
import { address, duration, whole } from "./kinds.ts";

export const ntpSchema = checkSchema({
  keys: {
    host: required(address(), "Address of the time server. Names are not looked up."),
    port: standard(whole(1, 65_535), 123, "Port of the time server."),
    source: unset(address(), "chosen by the kernel", "Address to ask from, of the family of host."),
    max_stratum: standard(
      whole(1, 15),
      15,
      "The greatest stratum that is good enough: 1 has a clock of its own, 2 asks one of these, and so on.",
    ),
    max_offset: unset(
      duration(10, 24 * 3_600_000),
      "any",
      "How far its clock may be from the clock of this host. Without it the time itself is not looked at.",
    ),
  },
  resolve(values, path, report): NtpParameters | undefined {
    const { host, port = 123, source, max_stratum: maxStratum = 15, max_offset: maxOffset } = values;
    checkHost(host, source, path, report);
    if (host === undefined) return undefined;
    return {
      type: "ntp",
      host,
      port,
      ...(source === undefined ? {} : { source }),
      maxStratum,
      ...(maxOffset === undefined ? {} : { maxOffset }),
    };
  },
  describe: ({ host, port, source, maxStratum, maxOffset }: NtpParameters) => ({
    host,
    port,
    source,
    max_stratum: maxStratum,
    max_offset: maxOffset === undefined ? undefined : formatDuration(maxOffset),
  }),
});
