/** Keys for what an instance or a sync group tracks. */
import { z } from "zod";
import { checkName } from "./health-check.ts";
import { standard, unset } from "./keys.ts";
import { boolean, duration, expected, interfaceName, whole } from "./kinds.ts";

const second = 1000;
const hour = 3600 * second;
const furthest = 254;

function priorityChange() {
  const rule = `a whole number from -${furthest} to ${furthest}, not 0`;
  const error = ({ input }: { readonly input?: unknown }) =>
    expected(rule, input, input === 0 ? "leave priority out to make a failure a fault" : undefined);
  return z
    .int({ error })
    .min(-furthest, { error })
    .max(furthest, { error })
    .refine((value) => value !== 0, { error })
    .meta({ "x-bounds": `-${furthest} to ${furthest}, not 0` });
}

export const trackBlock = z.strictObject({
  interface: unset(
    interfaceName(),
    "none",
    "An interface: it fails while it is down, has no carrier or does not exist. An entry has either this or check.",
  ),
  check: unset(checkName, "none", "The name of a health check. An entry has either this or interface."),
  priority: unset(
    priorityChange(),
    "a failure is a fault",
    "Added to the priority: a negative number while the object fails, a positive one while it does not.",
  ),
  reverse: standard(boolean(), false, "The object fails while it is up."),
});

export const dampingBlock = z.strictObject({
  suppress: standard(whole(2, 20), 2, "Penalty above which an object is held as failing; each failure adds 1."),
  reuse: standard(whole(1, 19), 1, "Penalty at which a held object is believed again; below suppress."),
  half_life: standard(duration(second, hour), "30s", "Time in which the penalty decays to half."),
});

export const trackKeys = {
  track: standard(
    z.array(trackBlock).meta({ "x-bounds": "a list of maps, see below" }),
    [],
    "What must work here besides the own interface: a failure is a fault, or changes the priority.",
  ),
  flap_damping: unset(
    dampingBlock.meta({ "x-bounds": "a map, see below" }),
    "none",
    "Holds tracked objects that fail again and again as failing, until they have been quiet for a while.",
  ),
};
