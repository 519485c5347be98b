/**
 * The log of the supervisor. Asynchronous and bounded: with synchronous writes a reader that stalls (a full pipe to the
 * journal) stops the event loop for as long as it stalls.
 */
import type { DestinationStream, pino as Pino } from "pino";
import type { Milliseconds } from "../vrrp/parameters.ts";
import { formatRecord, type LogRecord } from "./log-format.ts";
import { kindOf, LogGuard } from "./log-guard.ts";
import type { LogLevel } from "./messages.ts";

export type LogFormat = "pretty" | "json";

export interface LogOptions {
  readonly format: LogFormat;
  readonly level: LogLevel;
  readonly colour: boolean;
}

export interface LogFields {
  readonly instance?: string;
  readonly [name: string]: unknown;
}

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Waits until everything is written, but not for ever: a reader that stands still must not keep us alive. */
  flush(limit: Milliseconds): Promise<boolean>;
}

const ranks: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
/** Text kept for a reader that stands still; what comes after is dropped and counted. */
const maxBuffered = 1024 * 1024;

type Destination = DestinationStream & {
  flush(done: () => void): void;
  on(event: "error" | "drop" | "drain", listener: () => void): void;
};
type Write = (record: LogRecord) => void;

/** Lines told before the writer is loaded are kept for it: the log must not hold up the start of the VRRP process. */
export function openLog(options: LogOptions): Log {
  const early: LogRecord[] = [];
  let write: Write = (record) => early.push(record);
  const loaded = openWriter(options).then(({ write: loadedWrite, destination }) => {
    write = loadedWrite;
    for (const record of early) write(record);
    return destination;
  });
  return guardedLog(
    options.level,
    (record) => write(record),
    async (limit) => flush(await loaded, limit),
  );
}

async function openWriter(options: LogOptions): Promise<{ write: Write; destination: Destination }> {
  const { pino } = await import("pino");
  const destination: Destination = pino.destination({ dest: 2, sync: false, maxLength: maxBuffered });
  const write = options.format === "json" ? jsonWriter(pino, destination) : prettyWriter(destination, options.colour);
  let dropped = 0;
  destination.on("drop", () => dropped++);
  destination.on("drain", () => {
    if (dropped === 0) return;
    const message = `${dropped} log lines dropped: the reader of standard error was too slow`;
    dropped = 0;
    write({ level: "warn", message, fields: {} });
  });
  // Nobody is left to tell when stderr itself is gone.
  destination.on("error", () => {});
  return { write, destination };
}

export function guardedLog(least: LogLevel, write: Write, flushAll: Log["flush"]): Log {
  const guard = new LogGuard();
  let sweeping = false;

  const sweep = (): void => {
    sweeping = false;
    for (const { key, count } of guard.expire(performance.now())) {
      write({ level: "info", message: `${count} more like: ${key}`, fields: {} });
    }
    if (guard.size > 0) sweepLater();
  };
  const sweepLater = (): void => {
    if (sweeping) return;
    sweeping = true;
    setTimeout(sweep, 1000).unref();
  };

  const log = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (ranks[level] < ranks[least]) return;
    const { instance, ...rest } = fields;
    const admission = guard.admit(kindOf(instance, message), performance.now());
    sweepLater();
    if (!admission.admitted) return;
    const told = admission.suppressed > 0 ? { ...rest, suppressed: admission.suppressed } : rest;
    write({ level, message, fields: told, ...(instance === undefined ? {} : { instance }) });
  };

  return {
    debug: (message, fields) => log("debug", message, fields),
    info: (message, fields) => log("info", message, fields),
    warn: (message, fields) => log("warn", message, fields),
    error: (message, fields) => log("error", message, fields),
    flush: flushAll,
  };
}

function jsonWriter(pino: typeof Pino, destination: Destination): Write {
  const logger = pino(
    {
      base: null,
      level: "debug",
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    destination,
  );
  return ({ level, message, instance, fields }) => {
    logger[level](instance === undefined ? fields : { instance, ...fields }, message);
  };
}

function prettyWriter(destination: Destination, colour: boolean): Write {
  return (record) => {
    destination.write(formatRecord(record, new Date(), colour));
  };
}

function flush(destination: Destination, limit: Milliseconds): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), limit);
    destination.flush(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
