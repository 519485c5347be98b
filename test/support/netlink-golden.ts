/** Golden netlink messages: a comment line that starts with the kind, hex lines, a dashed line, the value as JSON. */
import { readdirSync, readFileSync } from "node:fs";
import { parseAddress } from "../../src/wire/address.ts";
import { hex } from "./hex.ts";

export interface Golden {
  readonly name: string;
  readonly kind: string;
  readonly bytes: Uint8Array;
  readonly value: Record<string, unknown>;
}

const folder = new URL("../golden/netlink/", import.meta.url);
const addresses = new Set(["address", "peer", "broadcast", "destination", "gateway", "preferredSource"]);

/** Addresses and MACs are text in the files, and a lifetime without end is "forever". */
function revive(key: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (value === "forever") return Number.POSITIVE_INFINITY;
  if (key === "mac") return hex(value.replaceAll(":", ""));
  return (addresses.has(key) ? parseAddress(value) : undefined) ?? value;
}

export function goldens(...kinds: readonly string[]): Golden[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".txt"))
    .map((file) => {
      const [head = "", value = ""] = readFileSync(new URL(file, folder), "utf8").split(/^-+$/m);
      const [comment = "", ...lines] = head.split("\n");
      const kind = /^# ([a-z-]+);/.exec(comment)?.[1] ?? "";
      return { name: file.slice(0, -4), kind, bytes: hex(lines.join("")), value: JSON.parse(value, revive) };
    })
    .filter(({ kind }) => kinds.includes(kind));
}
