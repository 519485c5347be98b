/** The kernel's timeouts of connections, in seconds, as a store of held-settings.ts. */
import type { SettingStore } from "./held-settings.ts";
import type { TimeoutParameters } from "./parameters.ts";
import type { IpvsPort } from "./table.ts";

const kinds = ["tcp", "tcpFin", "udp"] as const;

export function timeoutStore(port: Pick<IpvsPort, "timeouts" | "setTimeouts">): SettingStore {
  return {
    async read(names) {
      const found = await port.timeouts();
      return new Map(kinds.filter((kind) => names.includes(kind)).map((kind) => [kind, String(found[kind] / 1000)]));
    },
    async write(name, value) {
      for (const kind of kinds) if (kind === name) await port.setTimeouts({ [kind]: Number(value) * 1000 });
    },
  };
}

/** The kernel takes whole seconds, and 0 for "as it is". */
export function wantedTimeouts(timeouts: TimeoutParameters): Readonly<Record<string, string>> {
  const wanted = kinds.flatMap((kind): [string, string][] => {
    const timeout = timeouts[kind];
    return timeout === undefined ? [] : [[kind, String(Math.max(1, Math.round(timeout / 1000)))]];
  });
  return Object.fromEntries(wanted);
}
