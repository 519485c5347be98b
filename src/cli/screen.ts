/** Draws a text on the terminal again and again, and leaves the terminal as it was. */
import type { ReadStream, WriteStream } from "node:tty";

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
  const lines = text.trimEnd().split("\n");
  // A terminal may not know its size.
  const shown =
    rows > 0 && lines.length > rows ? [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} more lines`] : lines;
  // Without wrapping, a long line cannot push the first ones off the screen.
  const wrap = columns > 0 ? ["\u001b[?7l", "\u001b[?7h"] : ["", ""];
  return `\u001b[H${wrap[0]}${shown.map((line) => `${line}\u001b[K`).join("\r\n")}\u001b[J${wrap[1]}`;
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
