/** What somebody else changed in a service: as it was left, against as it is read. Pure. */
import type { MirroredService } from "./mirror.ts";
import { equalDestinations, equalServices, forwardingText } from "./service-settings.ts";
import type { DestinationSettings, ServiceSettings } from "./table.ts";

export interface Difference {
  /** Undefined: the service itself. */
  readonly destination: string | undefined;
  /** "weight 77 in place of 1" */
  readonly message: string;
}

export function differences(left: MirroredService, read: MirroredService): readonly Difference[] {
  if (read.settings === undefined) {
    return left.settings === undefined ? [] : [{ destination: undefined, message: "the service is gone" }];
  }
  if (left.settings === undefined) return [{ destination: undefined, message: "the service was made" }];
  const found: Difference[] = [];
  if (!equalServices(left.settings, read.settings)) {
    const message = inPlaceOf(serviceWords(left.settings), serviceWords(read.settings));
    found.push({ destination: undefined, message });
  }
  for (const [destination, { settings }] of read.destinations) {
    const before = left.destinations.get(destination)?.settings;
    if (before === undefined) {
      found.push({
        destination,
        message: `was added with weight ${settings.weight}, ${forwardingText(settings.forwarding)}`,
      });
    } else if (!equalDestinations(before, settings)) {
      found.push({ destination, message: inPlaceOf(destinationWords(before), destinationWords(settings)) });
    }
  }
  for (const [destination, { settings }] of left.destinations) {
    if (read.destinations.has(destination)) continue;
    found.push({ destination, message: `is gone, it had weight ${settings.weight}` });
  }
  return found;
}

type Words = Readonly<Record<string, string>>;

function inPlaceOf(before: Words, now: Words): string {
  return Object.keys(before)
    .filter((what) => before[what] !== now[what])
    .map((what) => `${what} ${now[what]} in place of ${before[what]}`)
    .join(", ");
}

function serviceWords({ scheduler, flags, timeout, netmask, engine }: ServiceSettings): Words {
  return {
    scheduler,
    flags: `0x${flags.toString(16)}`,
    timeout: `${timeout} s`,
    netmask: `0x${netmask.toString(16)}`,
    "persistence engine": engine ?? "none",
  };
}

function destinationWords({ weight, forwarding, upperThreshold, lowerThreshold }: DestinationSettings): Words {
  return {
    weight: `${weight}`,
    method: forwardingText(forwarding),
    "upper threshold": `${upperThreshold}`,
    "lower threshold": `${lowerThreshold}`,
  };
}
