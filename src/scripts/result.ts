/** How a program ended, and the sentence for it. Pure. */
export interface RunResult {
  /** It ran, ended by itself, and said 0. */
  readonly ok: boolean;
  /** Null when it did not end by itself, or never ran. */
  readonly exitCode: number | null;
  /** The signal that ended it: "SIGSEGV". */
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** Ended because whoever wanted it does not any more. */
  readonly aborted: boolean;
  /** Milliseconds from the start of the process to its end. */
  readonly duration: number;
  /** The end of what it printed on both streams, without trailing white space. */
  readonly output: string;
  /** Why it could not be run, or not be ended; null otherwise. */
  readonly error: string | null;
  /** It never ran, as this host had run out of what every program needs: nothing is known of this one. */
  readonly exhausted?: true;
}

const exhausting: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"]);

/** Descriptors, processes, or memory. */
export function isExhausted(error: unknown): boolean {
  return error instanceof Error && "code" in error && exhausting.has(error.code);
}

/** Reads after the name of the program: "exited with code 3", "could not be run: there is no /x". */
export function describeResult(result: RunResult, timeout: number): string {
  const { exitCode, signal, timedOut, aborted, error } = result;
  if (error !== null) return error;
  if (timedOut) return `did not end within ${timeout / 1000} s and was ended${signal === null ? "" : ` by ${signal}`}`;
  if (aborted) return "was ended, as it is not wanted any more";
  if (signal !== null) return `was ended by ${signal}`;
  return `exited with code ${exitCode}`;
}

/** A result of a program that never ran. */
export function notRun(error: string, exhausted = false): RunResult {
  return {
    ok: false,
    exitCode: null,
    signal: null,
    timedOut: false,
    aborted: false,
    duration: 0,
    output: "",
    error: `could not be run: ${error}`,
    ...(exhausted ? { exhausted } : {}),
  };
}
