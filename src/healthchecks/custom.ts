/** `type: custom`: a module of somebody else's does the run. What it has to export is told in docs/health-checks.md. */
import { inspectOnHost, ownAccount } from "../scripts/host.ts";
import type { CheckType, Outcome } from "./check-type.ts";
import { holdModule } from "./custom-module.ts";
import { undecidedBy } from "./system-failure.ts";

export interface CustomParameters {
  readonly type: "custom";
  /** From / on. */
  readonly module: string;
  /** Plain data, handed to the module as it stands in the file. */
  readonly options: unknown;
  /** Refuse what somebody else could have changed. */
  readonly security: boolean;
}

export const custom: CheckType<CustomParameters> = {
  async probe({ module: path, options, security }, signal) {
    // It runs as this process does, so only the user of this process may be able to change it.
    const inspected = security ? inspectOnHost(path, ownAccount()) : undefined;
    if (inspected?.ok === false) return { ok: false, reason: `${path} is not loaded: ${inspected.reason}` };
    const held = holdModule(path);
    try {
      return outcomeOf(await held.ask(options, signal));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { ok: false, reason: `${path}: ${why}`, ...undecidedBy(error) };
    } finally {
      held.release();
    }
  },
  /** The module stays loaded between the runs. */
  watch({ module: path }) {
    const held = holdModule(path);
    return () => held.release();
  },
};

/** What came from outside is an outcome, or a complaint is thrown. */
function outcomeOf(answer: unknown): Outcome {
  const { ok, reason, latency } = (typeof answer === "object" && answer !== null ? answer : {}) as Record<
    string,
    unknown
  >;
  if (typeof ok !== "boolean" || typeof reason !== "string") {
    throw new Error("probe() did not answer with { ok: true or false, reason: a text }");
  }
  if (latency !== undefined && (typeof latency !== "number" || !(latency >= 0))) {
    throw new Error("probe() answered with a latency that is no number of milliseconds");
  }
  const line = reason.replace(/\s+/g, " ").trim().slice(0, 500);
  return { ok, reason: line, ...(latency === undefined ? {} : { latency }) };
}
