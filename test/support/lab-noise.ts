/** How late this machine wakes a waiting process, or answers one that asks for its interfaces: one meter for each test process, for as long as it lives. */
import { fileURLToPath } from "node:url";
import { Child } from "./lab-process.ts";

let meter: Child | undefined;

/** Call before the first scenario starts. */
export function startMeter(): void {
  meter ??= new Child("noise meter", process.execPath, [fileURLToPath(new URL("./noise-meter.mjs", import.meta.url))]);
}

/** The latest wake-up since a moment, in milliseconds; 0 when none was late by more than 8 ms. */
export function worstSince(from: number): number {
  let worst = 0;
  for (const { text } of meter?.lines ?? []) {
    const [at, late] = text.split(" ").map(Number);
    if (at !== undefined && late !== undefined && at >= from) worst = Math.max(worst, late);
  }
  return worst;
}
