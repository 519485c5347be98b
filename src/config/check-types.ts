/** The table of the types of checks, as the file knows them: the same names as in healthchecks/types.ts. */
import type { CheckTypeName } from "../healthchecks/parameters.ts";
import { customSchema } from "./check-custom.ts";
import { fileSchema } from "./check-file.ts";
import { interfaceSchema } from "./check-interface.ts";
import { processSchema } from "./check-process.ts";
import type { CheckSchema } from "./check-schema.ts";
import { scriptSchema } from "./check-script.ts";
import { tcpSchema } from "./check-tcp.ts";

export const checkSchemas: Readonly<Record<CheckTypeName, CheckSchema>> = {
  tcp: tcpSchema,
  file: fileSchema,
  process: processSchema,
  interface: interfaceSchema,
  script: scriptSchema,
  custom: customSchema,
};
