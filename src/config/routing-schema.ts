/** The keys of routes, rules and what is held whatever the roles are. */
import { z } from "zod";
import { addressEntry } from "./address-entry.ts";
import { oneOf } from "./kinds.ts";
import { routeEntry } from "./route-entry.ts";
import { ruleEntry } from "./rule-entry.ts";

const routes = z.array(routeEntry).meta({ "x-bounds": "a list of routes, see below" });
const rules = z.array(ruleEntry).meta({ "x-bounds": "a list of rules, see below" });

export const instanceRouting = {
  virtual_routes: routes.optional().meta({
    description: "Routes held while active: put there after the addresses, taken away before them.",
    "x-standard": [],
  }),
  virtual_rules: rules.optional().meta({
    description: "Rules held while active: put there after the routes, taken away before them.",
    "x-standard": [],
  }),
  on_removal: oneOf("repair", "yield", "ignore").optional().meta({
    description:
      "When somebody else removes or replaces an address, route or rule of an active router: repair = put it back; yield = give up the role; ignore = leave it so. Each is told.",
    "x-standard": "repair",
  }),
};

export const fileRouting = {
  static_ipaddress: z
    .array(addressEntry)
    .meta({ "x-bounds": "a list of addresses with dev, see below" })
    .optional()
    .meta({ description: "Addresses held from start to stop, whatever the roles are.", "x-default": "none" }),
  static_routes: routes
    .optional()
    .meta({ description: "Routes held from start to stop, whatever the roles are.", "x-default": "none" }),
  static_rules: rules
    .optional()
    .meta({ description: "Rules held from start to stop, whatever the roles are.", "x-default": "none" }),
};
