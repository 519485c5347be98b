/** A log for what others make us say: packets, peers, children. The same kind of line at most once a second. */
import type { Log, LogFields } from "./log.ts";
import { kindOf, LogGuard } from "./log-guard.ts";
import type { LogLevel } from "./messages.ts";

const window = 1000;

export function limitedLog(log: Log): Log {
  const guard = new LogGuard(window);
  const latest = new Map<string, { message: string; fields: LogFields }>();
  let sweeping = false;

  // A storm that ended still owes the count of what was left out.
  const sweepLater = (): void => {
    if (sweeping) return;
    sweeping = true;
    setTimeout(() => {
      sweeping = false;
      for (const { key, count } of guard.expire(performance.now())) {
        const { message, fields } = latest.get(key) ?? { message: key, fields: {} };
        log.info(`${message} (${count} like it)`, fields);
        latest.delete(key);
      }
      if (guard.size > 0) sweepLater();
    }, window).unref();
  };

  const limited =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      const { instance, group, check, server, virtual_server: virtualServer } = fields;
      const about = [group, check, server, virtualServer].find((name) => typeof name === "string");
      const kind = kindOf(instance ?? about, message);
      const { admitted, suppressed } = guard.admit(kind, performance.now());
      if (admitted) log[level](message, suppressed > 0 ? { ...fields, suppressed } : fields);
      else latest.set(kind, { message, fields });
      sweepLater();
    };

  return {
    debug: limited("debug"),
    info: limited("info"),
    warn: limited("warn"),
    error: limited("error"),
    flush: log.flush,
  };
}
