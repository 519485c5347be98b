/** Interface names and indexes of this network namespace. */
import { addon } from "./addon.ts";

/** 0 when there is no such interface: the kernel counts from 1. */
export function interfaceIndex(name: string): number {
  return Math.max(0, addon().interfaceIndex(name));
}

export function interfaceName(index: number): string | undefined {
  const name = addon().interfaceName(index);
  return typeof name === "string" ? name : undefined;
}
