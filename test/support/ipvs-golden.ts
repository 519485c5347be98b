/**
 * Golden bodies of IPVS messages, from the generic header on: a comment line that starts with the kind, hex lines, a
 * dashed line, the value as JSON.
 */
import { readdirSync, readFileSync } from "node:fs";
import { hex } from "./hex.ts";

export interface IpvsGolden {
  readonly name: string;
  readonly kind: string;
  readonly bytes: Uint8Array;
  readonly value: unknown;
}

const folder = new URL("../golden/ipvs/", import.meta.url);

export function ipvsGoldens(...kinds: readonly string[]): IpvsGolden[] {
  return readdirSync(folder)
    .map((file) => {
      const [head = "", value = ""] = readFileSync(new URL(file, folder), "utf8").split(/^-+$/m);
      const [comment = "", ...lines] = head.split("\n");
      const kind = /^# ([a-z-]+);/.exec(comment)?.[1] ?? "";
      return { name: file.replace(/\.txt$/, ""), kind, bytes: hex(lines.join("")), value: JSON.parse(value) };
    })
    .filter(({ kind }) => kinds.includes(kind));
}
