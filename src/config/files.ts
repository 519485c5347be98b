/** Reading from the file system, bounded, and the reasons why it did not work in words. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { largestFile } from "./text.ts";

/** One byte more than allowed is enough for the complaint; a device or a pipe would otherwise be read for ever. */
export function readFile(path: string): Uint8Array {
  const descriptor = openSync(path, "r");
  try {
    const size = fstatSync(descriptor).size;
    let buffer = new Uint8Array(Math.min(Math.max(size, 4096), largestFile) + 1);
    let length = 0;
    while (length <= largestFile) {
      if (length === buffer.length) {
        const larger = new Uint8Array(Math.min(buffer.length * 2, largestFile + 1));
        larger.set(buffer);
        buffer = larger;
      }
      const count = readSync(descriptor, buffer, length, buffer.length - length, null);
      if (count === 0) break;
      length += count;
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

export function listDirectory(path: string): string[] {
  return readdirSync(path);
}

export function whyNot(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "ENOENT":
      return "no such file or directory (ENOENT)";
    case "EACCES":
    case "EPERM":
      return `no permission (${code})`;
    case "EISDIR":
      return "it is a directory (EISDIR): name a file";
    case "ENOTDIR":
      return "a part of the path is no directory (ENOTDIR)";
    case "ELOOP":
      return "its symbolic links go round in a circle (ELOOP)";
    default:
      return code === "" ? String(error) : code;
  }
}
