/** `type: script`: a program is run, without a shell, and ends with exit code 0 in time. Whatever else happens is a failure. */
import type { Argv } from "../scripts/command.ts";
import { permit } from "../scripts/permit.ts";
import { describeResult } from "../scripts/result.ts";
import { Runner } from "../scripts/run.ts";
import { type CheckType, whyAborted } from "./check-type.ts";

export interface ScriptParameters {
  readonly type: "script";
  readonly argv: Argv;
  /** `user` or `user:group`; without it the usual script user. */
  readonly user?: string;
  /** Added to the few variables that every program gets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Refuse what somebody else could have changed. */
  readonly security: boolean;
  /** Exit codes from 2 on are a success, and two less the weight of what is checked. */
  readonly dynamic?: true;
}

/** The deadline of a run ends it before; this is for one that nobody waits for. */
const longest = 2 * 3_600_000;
const runner = new Runner();

export const script: CheckType<ScriptParameters> = {
  late: ({ argv: [program] }) => `${program} did not end`,
  async probe({ argv, user, environment, security, dynamic }, signal) {
    const [program] = argv;
    const account = permit(argv, { user, security });
    if (typeof account === "string") return { ok: false, reason: `${program} is not run: ${account}` };
    const result = await runner.run({
      argv,
      account,
      ...(environment === undefined ? {} : { environment }),
      timeout: longest,
      signal,
    });
    const { exitCode, signal: endedBy, output, aborted } = result;
    const reason = aborted ? whyAborted(signal) : `${program} ${describeResult(result, longest)}`;
    const end = { exitCode, signal: endedBy, output };
    const ended = !aborted && !result.timedOut && exitCode !== null;
    const weight = dynamic && ended && exitCode >= 2 ? exitCode - 2 : undefined;
    if (weight !== undefined) return { ok: true, reason, program: end, advice: { weight } };
    return { ok: result.ok, reason, program: end, ...(result.exhausted ? { undecided: true } : {}) };
  },
};
