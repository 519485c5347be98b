/** Bytes of a file to text: what no YAML parser can make sense of is named here. */

/** A file of some ten thousand instances; anything longer is not a configuration. */
export const largestFile = 4 * 1024 * 1024;

export interface Complaint {
  readonly complaint: string;
  readonly line: number;
  readonly column: number;
}

export function decodeText(bytes: Uint8Array | string): { readonly text: string } | Complaint {
  if (bytes.length > largestFile) {
    return {
      complaint: `larger than ${largestFile / 1024 / 1024} MiB: this is no configuration file`,
      line: 0,
      column: 0,
    };
  }
  if (typeof bytes === "string") return { text: bytes.replace(/^\uFEFF/, "") };
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return { complaint: "the file is UTF-16: save it as UTF-8", line: 1, column: 1 };
  }
  // A UTF-8 byte order mark is taken off by the decoder.
  const text = new TextDecoder("utf-8").decode(bytes);
  const broken = text.indexOf("\uFFFD");
  if (broken >= 0 && !isUtf8(bytes)) {
    return { complaint: "a byte that is not UTF-8: save the file as UTF-8", ...lineAndColumn(text, broken) };
  }
  return { text };
}

/** Control characters, NUL above all, come from a damaged file or a binary one. */
export function checkCharacters(text: string): Complaint | undefined {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) || code === 0x7f) {
      const name = code === 0 ? "a NUL byte" : `control character 0x${code.toString(16).padStart(2, "0")}`;
      return { complaint: `${name}: the file is damaged or is not text`, ...lineAndColumn(text, i) };
    }
  }
  return undefined;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    // The only thing a fatal decoder throws for is the answer asked for.
    return false;
  }
}

function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
