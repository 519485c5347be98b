/**
 * Reading the same configuration again: files that say what they said give what came of them the last time, without
 * being parsed. With thousands of servers, parsing is most of what a reload costs.
 */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { type Loaded, loadConfig, readBounded } from "./load.ts";

/** Something outside that the configuration depends on. */
interface Reading {
  /** What it was like, or why it could not be read. */
  readonly found: string;
  readonly look: () => string;
}

/** `host` is asked for the default of `global.router_id`. */
export function recallingLoader(host: () => string = hostname): (file: string) => Loaded {
  let last: { readonly file: string; readonly readings: readonly Reading[]; readonly loaded: Loaded } | undefined;
  return (file) => {
    if (last?.file === file && last.readings.every(({ found, look }) => look() === found)) return last.loaded;
    const readings: Reading[] = [];
    const noted = <Value>(read: () => Value, inShort: (value: Value) => string): Value => {
      const look = (): string => attempt(() => inShort(read()));
      try {
        const value = read();
        // Of what was read, not of what is there by now.
        readings.push({ found: inShort(value), look });
        return value;
      } catch (error) {
        readings.push({ found: String(error), look });
        throw error;
      }
    };
    const loaded = loadConfig(file, {
      readFile: (path) => noted(() => readBounded(path), digest),
      modeOf: (path) => noted(() => statSync(path).mode, String),
      listDirectory: (path) => noted(() => readdirSync(path), JSON.stringify),
      hostName: noted(host, String),
    });
    last = { file, readings, loaded };
    return loaded;
  };
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
}

function attempt(look: () => string): string {
  try {
    return look();
  } catch (error) {
    return String(error);
  }
}
