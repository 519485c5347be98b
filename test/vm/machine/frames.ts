/** Messages on a byte stream: a length, and a value as Node passes it between processes. */
import { deserialize, serialize } from "node:v8";

/** From the host to the agent in the machine. */
export type Order =
  | {
      readonly kind: "start";
      readonly id: number;
      readonly file: string;
      readonly execArgv: readonly string[];
      readonly env: Readonly<Record<string, string | undefined>>;
      readonly cwd: string;
    }
  | { readonly kind: "message"; readonly id: number; readonly data: unknown }
  | { readonly kind: "kill"; readonly id: number };

/** From the agent. */
export type Report =
  | { readonly kind: "ready" }
  | { readonly kind: "message"; readonly id: number; readonly data: unknown }
  | { readonly kind: "output"; readonly id: number; readonly stream: "stdout" | "stderr"; readonly text: string }
  | { readonly kind: "exit"; readonly id: number; readonly code: number | null; readonly signal: string | null };

export function encodeFrame(value: Order | Report): Buffer {
  const body = serialize(value);
  const frame = Buffer.allocUnsafe(4 + body.length);
  frame.writeUInt32LE(body.length);
  body.copy(frame, 4);
  return frame;
}

/** Takes chunks as they come and hands over whole values. */
export function frameReader<T>(take: (value: T) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let length = 0;
  /** With its length, once that is known. */
  let size = 4;
  return (chunk) => {
    chunks.push(chunk);
    length += chunk.length;
    while (length >= size) {
      const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      chunks = [bytes];
      size = 4 + bytes.readUInt32LE();
      if (length < size) return;
      take(deserialize(bytes.subarray(4, size)) as T);
      chunks = [bytes.subarray(size)];
      length -= size;
      size = 4;
    }
  };
}
