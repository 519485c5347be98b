/** Draws a text on the terminal again and again, and leaves the terminal as it was. */
import type { ReadStream, WriteStream } from "node:tty";
import { piecesOf, widthOf } from "./paint.ts";

const enter = "\u001b[?1049h\u001b[?25l";
const leave = "\u001b[?25h\u001b[?1049l";

/** Until q, Ctrl-C, or a signal. What `draw` throws is thrown after the terminal is restored. */
export async function watchScreen(draw: () => Promise<string>, input: ReadStream, output: WriteStream): Promise<void> {
  const end = new AbortController();
  const stop = () => end.abort();
  const key = (bytes: Buffer) => {
    // In raw mode Ctrl-C is a byte.
    if (bytes.includes("q") || bytes.includes(3)) stop();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, stop);
  if (input.isTTY) input.setRawMode(true);
  input.on("data", key);
  output.write(enter);
  try {
    while (!end.signal.aborted) {
      output.write(frame(await draw(), output.rows, output.columns));
      await pause(1000, end.signal);
    }
  } finally {
    output.write(leave);
    input.off("data", key);
    if (input.isTTY) input.setRawMode(false);
    input.pause();
    for (const signal of signals) process.off(signal, stop);
  }
}

/** Home, each line cleared to its end, the rest of the screen cleared: no flicker. What does not fit is left out. */
export function frame(text: string, rows: number, columns: number): string {
  const lines = text
    .trimEnd()
    .split("\n")
    .flatMap((line) => folded(line, columns));
  // A terminal may not know its size.
  const shown =
    rows > 0 && lines.length > rows ? [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} more lines`] : lines;
  // Without wrapping, characters of two columns cannot push the first lines off the screen.
  const wrap = columns > 0 ? ["\u001b[?7l", "\u001b[?7h"] : ["", ""];
  return `\u001b[H${wrap[0]}${shown.map((line) => `${line}\u001b[K`).join("\r\n")}\u001b[J${wrap[1]}`;
}

const indent = 6;
/** Narrower than this, nothing can be read anyway. */
const narrowest = 40;

/** A line that is longer than the screen goes on below: the reason stands at its end. */
function folded(line: string, columns: number): string[] {
  if (columns < narrowest || widthOf(line) <= columns) return [line];
  const rows: string[] = [];
  let row = "";
  let width = 0;
  // Colours hold over the end of a row.
  for (const { piece, isColour } of piecesOf(line)) {
    if (!isColour && width === columns) {
      rows.push(row);
      row = " ".repeat(indent);
      width = indent;
    }
    row += piece;
    if (!isColour) width += 1;
  }
  return [...rows, row];
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
