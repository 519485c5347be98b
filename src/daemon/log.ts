/**
 * The log of the supervisor. Asynchronous and bounded: with synchronous writes a reader that stalls (a full pipe to the
 * journal) stops the event loop for as long as it stalls.
 */
import type { pino as Pino } from "pino";
import type { Milliseconds } from "../vrrp/parameters.ts";
import { BoundedWriter } from "./bounded-writer.ts";
import { formatRecord, type LogRecord } from "./log-format.ts";
import type { LogLevel } from "./messages.ts";
import { openStandardError } from "./standard-error.ts";

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
const capacity = 1024 * 1024;

type Write = (record: LogRecord) => void;

/**
 * The writer is loaded with the first line, and lines are kept until it is there: the log must not hold up the start
 * of the VRRP process.
 */
export function openLog(options: LogOptions): Log {
  const early: LogRecord[] = [];
  let opening: Promise<BoundedWriter> | undefined;
  let write: Write = (record) => {
    early.push(record);
    opening ??= openWriter(options).then((opened) => {
      write = opened.write;
      for (const kept of early) write(kept);
      return opened.writer;
    });
  };
  return createLog(
    options.level,
    (record) => write(record),
    async (limit) => opening === undefined || (await opening).flush(limit),
  );
}

async function openWriter(options: LogOptions): Promise<{ write: Write; writer: BoundedWriter }> {
  const lines: string[] = [];
  const format =
    options.format === "json" ? jsonFormat((await import("pino")).pino, lines) : prettyFormat(lines, options.colour);
  const render = (record: LogRecord): string => {
    format(record);
    return lines.splice(0).join("");
  };
  const writer = new BoundedWriter(openStandardError(), {
    capacity,
    dropped: (count) =>
      render({
        at: new Date(),
        level: "warn",
        message: `${count} log lines dropped: standard error was not read`,
        fields: {},
      }),
  });
  return { write: (record) => writer.write(render(record)), writer };
}

function createLog(least: LogLevel, write: Write, flushAll: Log["flush"]): Log {
  const log = (level: LogLevel, message: string, { instance, ...fields }: LogFields = {}): void => {
    if (ranks[level] < ranks[least]) return;
    write({ at: new Date(), level, message, fields, ...(instance === undefined ? {} : { instance }) });
  };
  return {
    debug: (message, fields) => log("debug", message, fields),
    info: (message, fields) => log("info", message, fields),
    warn: (message, fields) => log("warn", message, fields),
    error: (message, fields) => log("error", message, fields),
    flush: flushAll,
  };
}

function jsonFormat(pino: typeof Pino, lines: string[]): Write {
  const logger = pino(
    {
      base: null,
      level: "debug",
      messageKey: "message",
      // The time when it was said, not when the writer was there to write it.
      timestamp: false,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line) => lines.push(line) },
  );
  return ({ at, level, message, instance, fields }) => {
    const time = at.toISOString();
    logger[level](instance === undefined ? { time, ...fields } : { time, instance, ...fields }, message);
  };
}

function prettyFormat(lines: string[], colour: boolean): Write {
  return (record) => lines.push(formatRecord(record, colour));
}
