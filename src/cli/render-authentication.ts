/** How an instance authenticates, for a person. Pure. */
import type { AuthenticationStatus } from "../vrrp/status.ts";
import { formatInterval, formatMoment } from "./render-time.ts";

/** "hmac enforce, signs with key 1 (630dcd29), accepts key 2 (8f1c02aa) too; stamps within 5 s of this clock" */
export function authentication(status: AuthenticationStatus): string {
  const { mode, active_key, keys, anti_replay, time_window_ms, unsigned_accepted } = status;
  const name = ({ id, fingerprint }: AuthenticationStatus["keys"][number]) => `${id} (${fingerprint})`;
  const active = keys.filter(({ id }) => id === active_key).map(name);
  const others = keys.filter(({ id }) => id !== active_key).map(name);
  const silent = mode === "receive_only";
  const signs = silent
    ? `signs nothing, accepts key ${[...active, ...others].join(", ")}`
    : `signs with key ${active.join()}`;
  const accepts = silent || others.length === 0 ? "" : `, accepts key ${others.join(", ")} too`;
  const stamps = anti_replay === "time" ? `within ${formatInterval(time_window_ms)} of this clock` : "that grow";
  const unsigned = mode === "enforce" ? "" : `; ${unsigned_accepted} unsigned adverts accepted`;
  return `hmac ${mode}, ${signs}${accepts}; stamps ${stamps}${unsigned}`;
}

export function lastRefusal({ last_refusal }: AuthenticationStatus, now: Date): string[] {
  if (last_refusal === null) return [];
  const { at, source, rejection, reason } = last_refusal;
  return [`${formatMoment(new Date(at), now)} from ${source}: ${rejection} (${reason})`];
}
