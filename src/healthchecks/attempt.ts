/** One run of a probe under a deadline that holds for all of it, whatever the probe does. */
import type { Outcome } from "./check-type.ts";
import type { Milliseconds } from "./parameters.ts";
import { undecidedBy } from "./system-failure.ts";

export interface Attempt {
  /** Never rejects; at the latest a moment after the deadline. */
  readonly result: Promise<Outcome & { readonly latency: Milliseconds }>;
  /** The probe has released what it held, and has said what there is to say; the next one may begin. */
  readonly ended: Promise<Outcome>;
  /** The same, once it is so. */
  readonly over: Outcome | undefined;
  /** Nobody wants to know any more. */
  abort(why: string): void;
}

/** A probe that is told to stop has so long to say what it was waiting for. */
const lastWords: Milliseconds = 20;
/** A deadline that is noticed so much late was not the checked thing's fault alone. */
const overdue: Milliseconds = 10;

export function attempt(
  probe: (signal: AbortSignal) => Promise<Outcome>,
  timeout: Milliseconds,
  late = "no answer",
): Attempt {
  const controller = new AbortController();
  const { signal } = controller;
  const started = performance.now();
  const outcome = start(probe, signal);
  let over: Outcome | undefined;
  const result = new Promise<Outcome & { readonly latency: Milliseconds }>((resolve) => {
    let timer: NodeJS.Timeout;
    const finish = (end: Outcome): void => {
      clearTimeout(timer);
      resolve({ ...end, latency: end.latency ?? performance.now() - started });
    };
    const expire = (): void => {
      const message = `${late} within ${timeout} ms`;
      if (!signal.aborted) controller.abort(new Error(message));
      timer = setTimeout(() => finish({ ok: false, reason: message }), lastWords);
    };
    const onDeadline = (): void => {
      // This process may have stood still: what has arrived meanwhile is read first.
      const overslept = performance.now() - started - timeout;
      if (overslept > overdue) timer = setTimeout(() => setImmediate(expire), Math.min(overslept, timeout));
      else setImmediate(expire);
    };
    timer = setTimeout(onDeadline, timeout);
    void outcome.then((end) => {
      over = end;
      // An answer to the order to stop is no success, whatever it says.
      finish(end.ok && signal.aborted ? { ...end, ok: false, reason: `${end.reason}, but too late` } : end);
    });
  });
  return {
    result,
    ended: outcome,
    get over() {
      return over;
    },
    abort: (why) => controller.abort(new Error(why)),
  };
}

async function start(probe: (signal: AbortSignal) => Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  try {
    return onOneLine(await probe(signal));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return onOneLine({ ok: false, reason, ...undecidedBy(error) });
  }
}

/** Whatever comes from elsewhere and is part of a reason: it goes into lines of logs and of FIFOs. */
function onOneLine(outcome: Outcome): Outcome {
  return /[\r\n]/.test(outcome.reason) ? { ...outcome, reason: outcome.reason.replace(/\s+/g, " ").trim() } : outcome;
}
