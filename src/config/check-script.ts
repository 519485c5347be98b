/** `type: script` */
import type { ScriptParameters } from "../healthchecks/script.ts";
import { formatCommand } from "../scripts/command.ts";
import { checkSchema } from "./check-schema.ts";
import { command, resolveCommand, scriptUser } from "./command.ts";
import { required, unset } from "./keys.ts";

export const scriptSchema = checkSchema({
  keys: {
    script: required(command(), "The program and its arguments. Nothing is expanded: no shell runs."),
    user: unset(scriptUser, "global.script_user", "User, or user:group, that it runs as."),
  },
  resolve(values, path, report, { scriptUser: usual, scriptSecurity: security }): ScriptParameters | undefined {
    const argv = resolveCommand(values.script, [...path, "script"], report);
    const user = values.user ?? usual;
    return argv && { type: "script", argv, ...(user === undefined ? {} : { user }), security };
  },
  describe: ({ argv, user }: ScriptParameters) => ({ script: formatCommand(argv), user }),
});
