/** Whether a command may be run now, and as whom. Looks at the host, and anew each time: what was wrong may be mended. */
import type { Account } from "./accounts.ts";
import type { Argv } from "./command.ts";
import { accountOf, findProgram, inspectOnHost, ownAccount } from "./host.ts";

export interface PermitOptions {
  /** `user` or `user:group`. Without one: the user of the default script user, if it exists, else our own. */
  readonly user: string | undefined;
  /** Refuse what somebody else than root and the user could have changed. */
  readonly security: boolean;
}

/** Scripts run as this one when nothing else is configured and it exists. */
export const defaultScriptUser = "viprd_script";

/** A text says why not. */
export function permit(argv: Argv, { user, security }: PermitOptions): Account | string {
  const account = user === undefined ? defaultAccount() : accountOf(user);
  if (typeof account === "string") return `the user ${user} ${account}`;
  if (!security) return account;
  const path = findProgram(argv[0]);
  // Running it tells that it is missing.
  if (path === undefined) return account;
  const inspected = inspectOnHost(path, account);
  return inspected.ok ? account : inspected.reason;
}

function defaultAccount(): Account {
  const own = ownAccount();
  const named = own.uid === 0 ? accountOf(defaultScriptUser) : own;
  return typeof named === "string" ? own : named;
}

/** Scripts would run with all rights, though nobody asked for that. */
export function runsAsRootByDefault(): boolean {
  return defaultAccount().uid === 0;
}
