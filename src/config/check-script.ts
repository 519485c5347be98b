/** `type: script` */
import type { ScriptParameters } from "../healthchecks/script.ts";
import { formatCommand } from "../scripts/command.ts";
import { checkSchema } from "./check-schema.ts";
import { command, resolveCommand, scriptUser } from "./command.ts";
import { required, standard, unset } from "./keys.ts";
import { boolean } from "./kinds.ts";

export const scriptSchema = checkSchema({
  keys: {
    script: required(command(), "The program and its arguments. Nothing is expanded: no shell runs."),
    user: unset(scriptUser, "global.script_user", "User, or user:group, that it runs as."),
    misc_dynamic: standard(
      boolean(),
      false,
      "true: exit codes from 2 to 255 are a success, too, and two less is the weight of the real server; 0 leaves it as it is.",
    ),
  },
  resolve(values, path, report, { scriptUser: usual, scriptSecurity: security }): ScriptParameters | undefined {
    const argv = resolveCommand(values.script, [...path, "script"], report);
    const user = values.user ?? usual;
    const dynamic = values.misc_dynamic === true ? ({ dynamic: true } as const) : {};
    return argv && { type: "script", argv, ...(user === undefined ? {} : { user }), security, ...dynamic };
  },
  describe: ({ argv, user, dynamic }: ScriptParameters) => ({
    script: formatCommand(argv),
    user,
    misc_dynamic: dynamic === true,
  }),
});
