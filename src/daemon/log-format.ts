/** One log line for a person: aligned, calm, coloured only where a terminal reads it. */
import type { LogLevel } from "./messages.ts";

export interface LogRecord {
  readonly at: Date;
  readonly level: LogLevel;
  readonly message: string;
  readonly instance?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const colours: Record<LogLevel, number> = { debug: 2, info: 36, warn: 33, error: 31 };

export function formatRecord(record: LogRecord, colour: boolean): string {
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const level = paint(colours[record.level], record.level.padEnd(5));
  const subject = record.instance === undefined ? "" : `${paint(1, record.instance)}: `;
  // A check is named in the message.
  const others = Object.entries(record.fields).filter(([name]) => name !== "check");
  const rest = others.map(([name, value]) => ` ${paint(2, `${name}=${formatValue(value)}`)}`);
  return `${paint(2, formatTime(record.at))} ${level} ${subject}${printable(record.message)}${rest.join("")}\n`;
}

export function formatTime(at: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${time}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

function formatValue(value: unknown): string {
  if (typeof value === "string" && /^[^\s"=\p{Cc}]+$/u.test(value)) return value;
  return JSON.stringify(value) ?? "undefined";
}

// A name that came from outside must not move the cursor or forge a second line. A stack keeps its line ends.
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, "?").replaceAll("\n", "\n    ");
}
