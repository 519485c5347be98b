/** The keys that `viprd decode` is given to verify signatures with. */
import { readFileSync } from "node:fs";
import { keyRule, parseKey, parseKeyFile } from "../config/auth-key.ts";
import { whyNot } from "../config/read-failure.ts";
import { type Key, newKey } from "../vrrp/hmac-trailer.ts";

/** `ID:KEY`, the key as in the configuration. A complaint, which never repeats a secret, when one is not understood. */
export function readKeys(texts: readonly string[]): readonly Key[] | string {
  const keys = texts.map(readKey);
  const complaint = keys.find((key) => typeof key === "string");
  return complaint ?? keys.filter((key) => typeof key !== "string");
}

function readKey(text: string): Key | string {
  const [, id = "", rest = ""] = /^([1-9]\d{0,2}):(.*)$/s.exec(text) ?? [];
  if (id === "" || Number(id) > 255) return `expected ID:${keyRule}, the ID from 1 to 255`;
  const source = parseKey(rest);
  if (typeof source === "string") return `key ${id}: ${source}`;
  if ("secret" in source) return newKey(Number(id), source.secret);
  try {
    const found = parseKeyFile(readFileSync(source.file));
    return typeof found === "string" ? `key ${id}: ${source.file}: ${found}` : newKey(Number(id), found.secret);
  } catch (error) {
    return `key ${id}: cannot read ${source.file}: ${whyNot(error)}`;
  }
}
