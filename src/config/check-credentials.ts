/** The keys about who a check says it is. */
import type { Password } from "../healthchecks/credentials.ts";
import { checkPath } from "./check-tls.ts";
import { unset } from "./keys.ts";
import { secret, text } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";

/** What could end the line that it stands in, and begin another. */
const control = /\p{Cc}/u;

const userName = text("a user's name, without control characters", (value) =>
  value === "" || control.test(value) ? "" : undefined,
);
const passwordText = secret("a password of at least one character, without control characters", (value) =>
  value === "" || control.test(value) ? "" : undefined,
);

export const credentialKeys = {
  username: unset(userName, "no login", "Name to log in with; needs password or password_file."),
  password: unset(passwordText, "none", "Its password; $" + "{NAME} takes it from the environment. It is never shown."),
  password_file: unset(checkPath, "none", "File with the password, read in every run, instead of password."),
};

export interface CredentialValues {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly password_file?: string | undefined;
}

/** Nothing without a password. */
export function resolvePassword(
  { password, password_file: file }: CredentialValues,
  path: Path,
  report: Report,
): Password | undefined {
  if (password !== undefined && file !== undefined) {
    report.error([...path, "password_file"], "takes the place of password: remove one of the two");
  }
  if (file !== undefined) return { file };
  return password === undefined ? undefined : { text: password };
}

/** Both or neither. */
export function resolveLogin(
  values: CredentialValues,
  path: Path,
  report: Report,
): { readonly login?: { readonly user: string; readonly password: Password } } {
  const password = resolvePassword(values, path, report);
  const user = values.username;
  const given = report.isGiven([...path, "password"]) ? "password" : "password_file";
  if (user === undefined) {
    if (password !== undefined && !report.isGiven([...path, "username"])) {
      report.error([...path, given], "needs username, too");
    }
    return {};
  }
  if (password !== undefined) return { login: { user, password } };
  if (!report.isGiven([...path, "password"]) && !report.isGiven([...path, "password_file"])) {
    report.error([...path, "username"], "needs password or password_file, too");
  }
  return {};
}

export function describePassword(password: Password | undefined, mask: string | undefined) {
  if (password === undefined) return {};
  return "file" in password ? { password_file: password.file } : { password: mask ?? password.text };
}

export function describeLogin(
  login: { readonly user?: string; readonly password?: Password } | undefined,
  mask: string | undefined,
) {
  return { username: login?.user, ...describePassword(login?.password, mask) };
}
