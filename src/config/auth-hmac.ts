/** `auth_hmac` of an instance: keys by their ids, which one signs, and what is refused. */
import { posix } from "node:path";
import { z } from "zod";
import type { AuthHmacParameters, AuthKeyParameters, Milliseconds, VrrpVersion } from "../vrrp/parameters.ts";
import { keyRule, parseKey, parseKeyFile } from "./auth-key.ts";
import { formatDuration } from "./duration.ts";
import { required, standard, unset } from "./keys.ts";
import { duration, oneOf, secret, whole } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import { whyNot } from "./read-failure.ts";
import type { Report } from "./report.ts";

const second = 1000;
const longestWindow = 300 * second;

const keyId = z
  .string()
  // The name is not repeated: whoever mixes up id and secret has the secret there.
  .refine((name) => /^[1-9]\d{0,2}$/.test(name) && Number(name) <= 255, {
    error: "expected the id of a key, a whole number from 1 to 255, in front of each colon",
  });

export const authHmacBlock = z
  .strictObject({
    keys: required(
      z
        .record(
          keyId,
          secret(keyRule, () => undefined),
        )
        .meta({ "x-bounds": `a map of ids from 1 to 255 to ${keyRule}` }),
      "Secrets of 32 to 64 bytes that advertisements may be signed with, the same on every router of the group.",
    ),
    active_key: required(whole(1, 255), "The id of the key that this router signs with. It has to be one of keys."),
    mode: standard(
      oneOf("enforce", "permissive", "receive_only"),
      "enforce",
      "enforce = sign, and refuse what is not signed; permissive = sign, and accept both; receive_only = sign nothing, and accept both. A wrong signature is refused in every mode.",
    ),
    anti_replay: standard(
      oneOf("time", "monotonic"),
      "time",
      "time = a stamp must be close to this router's clock and newer than all before; monotonic = newer than all before.",
    ),
    time_window: unset(
      duration(second, longestWindow),
      "the longer of 5s and three times advert_int, at most 300s",
      "How far the stamp of an advertisement may be away from this router's clock.",
    ),
  })
  .meta({ "x-bounds": "a map, see below" });

/** How key files are looked at; what cannot be read throws. */
export interface KeyFiles {
  read(path: string): { readonly bytes: Uint8Array | string; readonly mode: number | undefined };
}

type Values = Loose<z.output<typeof authHmacBlock>>;

export function resolveAuthHmac(
  values: Values,
  instance: { readonly version: VrrpVersion; readonly interval: Milliseconds; readonly password: boolean },
  files: KeyFiles,
  path: Path,
  report: Report,
): AuthHmacParameters | undefined {
  if (instance.version === 2 && instance.password) {
    report.error([...path.slice(0, -1), "authentication"], "auth_hmac takes its place: remove one of the two");
  }
  if (values.anti_replay === "monotonic" && values.time_window !== undefined) {
    report.warn([...path, "time_window"], "has no effect with anti_replay: monotonic");
  }
  if (values.mode !== undefined && values.mode !== "enforce") {
    report.warn([...path, "mode"], "protects nothing yet, what is not signed is accepted too: enforce is the aim");
  }
  const keys = resolveKeys(values.keys ?? {}, files, [...path, "keys"], report);
  const ids = Object.keys(values.keys ?? {});
  if (values.keys !== undefined && ids.length === 0) {
    report.error([...path, "keys"], `expected at least one key: write an id from 1 to 255, a colon and ${keyRule}`);
  }
  const activeKey = values.active_key;
  // Never a router that signs nothing because of a slip: the other side would take over beside it.
  if (activeKey !== undefined && ids.length > 0 && !ids.includes(String(activeKey))) {
    report.error([...path, "active_key"], `there is no key ${activeKey} in keys, only ${ids.join(", ")}`);
  }
  if (activeKey === undefined || keys.length === 0) return undefined;
  return {
    keys,
    activeKey,
    mode: values.mode ?? "enforce",
    antiReplay: values.anti_replay ?? "time",
    timeWindow: values.time_window ?? Math.min(longestWindow, Math.max(5 * second, 3 * instance.interval)),
  };
}

function resolveKeys(
  written: Readonly<Record<string, string | undefined>>,
  files: KeyFiles,
  path: Path,
  report: Report,
): AuthKeyParameters[] {
  const keys: AuthKeyParameters[] = [];
  for (const [id, text] of Object.entries(written)) {
    const key = text === undefined ? undefined : resolveKey(Number(id), text, files, [...path, id], report);
    if (key === undefined) continue;
    const same = keys.find(({ secret }) => secret === key.secret);
    if (same !== undefined) report.warn([...path, id], `the same secret as key ${same.id}`);
    keys.push(key);
  }
  return keys.toSorted((a, b) => a.id - b.id);
}

function resolveKey(
  id: number,
  text: string,
  files: KeyFiles,
  path: Path,
  report: Report,
): AuthKeyParameters | undefined {
  const source = parseKey(text);
  if (typeof source === "string") return void report.error(path, source);
  if ("secret" in source) return { id, secret: hexOf(source.secret) };
  const beside = posix.dirname(report.placeOf(path).file);
  const file = posix.isAbsolute(source.file) ? source.file : posix.join(beside, source.file);
  try {
    const { bytes, mode } = files.read(file);
    const found = parseKeyFile(bytes);
    if (typeof found === "string") return void report.error(path, `${file}: ${found}`);
    checkMode(file, mode, path, report);
    return { id, secret: hexOf(found.secret), file };
  } catch (error) {
    return void report.error(path, `cannot read ${file}: ${whyNot(error)}`);
  }
}

/** Told, not refused: a router that does not come up over the mode of a file would lose the address over it. */
function checkMode(file: string, mode: number | undefined, path: Path, report: Report): void {
  if (mode === undefined || (mode & 0o006) === 0) return;
  const may = (mode & 0o002) === 0 ? "read" : "write";
  report.warn(path, `everybody on this host may ${may} ${file}: chmod o= ${file}`);
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Without a mask inline secrets are shown. */
export function describeAuthHmac(parameters: AuthHmacParameters, mask: string | undefined): object {
  const { keys, activeKey, mode, antiReplay, timeWindow } = parameters;
  return {
    keys: Object.fromEntries(
      keys.map(({ id, secret, file }) => [id, file === undefined ? (mask ?? `hex:${secret}`) : `file:${file}`]),
    ),
    active_key: activeKey,
    mode,
    anti_replay: antiReplay,
    ...(antiReplay === "time" ? { time_window: formatDuration(timeWindow) } : {}),
  };
}
