/** `type: interface` */
import type { InterfaceParameters } from "../healthchecks/interface.ts";
import { checkSchema } from "./check-schema.ts";
import { required } from "./keys.ts";
import { interfaceName } from "./kinds.ts";

export const interfaceSchema = checkSchema({
  steady: true,
  keys: { interface: required(interfaceName(), "The interface: it has to be up, with a carrier.") },
  resolve: (values): InterfaceParameters | undefined =>
    values.interface === undefined ? undefined : { type: "interface", interface: values.interface },
  describe: (parameters: InterfaceParameters) => ({ interface: parameters.interface }),
});
