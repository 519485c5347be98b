/** Who a check says it is. */
import { open } from "node:fs/promises";
import { failedBy } from "./system-failure.ts";
import { whyFailed } from "./tls.ts";

export interface Credentials {
  readonly user: string;
  readonly password: Password;
}

/** Written in the configuration, or in a file that is read anew in every run: a changed one is used at once. */
export type Password = { readonly text: string } | { readonly file: string };

/** Bytes; more is no password, but a file that was named by mistake. */
const longest = 4096;

/** Without the line end that editors leave. Throws, without what was read, when that is no password. */
export async function readPassword(password: Password): Promise<string> {
  if ("text" in password) return password.text;
  const text = (await readStart(password.file)).toString("utf8").replace(/\r?\n$/, "");
  if (text === "") throw new Error(`${password.file} is empty`);
  if (text.length > longest) throw new Error(`${password.file} is too long for a password`);
  if (/\p{Cc}/u.test(text)) throw new Error(`${password.file} has more than one line, or control characters`);
  return text;
}

async function readStart(path: string): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(longest + 3), 0, longest + 3, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw failedBy(error, whyFailed(error));
  }
}
