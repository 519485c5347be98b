/** How long a takeover takes, from the formulas of RFC 9568 section 6.1 and RFC 3768 section 6.1. */
import type { InstanceParameters, Milliseconds } from "../vrrp/parameters.ts";

type Timing = Pick<InstanceParameters, "version" | "priority" | "advertisementInterval">;

/** Version 2 skews by fractions of a second whatever the interval is. */
export function skewOf({ version, priority, advertisementInterval }: Timing): Milliseconds {
  return ((256 - priority) * (version === 2 ? 1000 : advertisementInterval)) / 256;
}

export interface FailoverTimes {
  /** The active router dies or its link is cut: from its last advertisement to this router's first. */
  readonly crash: Milliseconds;
  /** The active router stops in order and says so with priority 0. */
  readonly stop: Milliseconds;
}

export function failoverTimes(instance: Timing): FailoverTimes {
  const stop = skewOf(instance);
  return { crash: 3 * instance.advertisementInterval + stop, stop };
}
