/** What is left in the table when the daemon ends, and what is told of it. Pure but for reading the mirror. */
import type { Mirror } from "./mirror.ts";
import type { Operation } from "./table.ts";
import type { Unit } from "./unit.ts";
import type { CoreEvent } from "./virtual-server.ts";

export function ending({ parameters: { services, onStop } }: Unit, mirror: Mirror): readonly Operation[] {
  if (onStop === "keep") return [];
  return services.flatMap((service): readonly Operation[] => {
    const known = mirror.get(service);
    if (known?.settings === undefined) return [];
    if (onStop === "remove") return [{ type: "delete-service", service }];
    // Connections go on without us; nothing new comes.
    return [...known.destinations.values()]
      .filter(({ settings }) => settings.weight > 0)
      .map(({ settings }) => ({ type: "edit-destination", service, settings: { ...settings, weight: 0 } }));
  });
}

/** With `omega` a stop is told as the loss of the quorum that it may be. */
export function farewell({ parameters: { name, omega }, memory }: Unit): readonly CoreEvent[] {
  if (!omega || memory?.quorum !== true) return [];
  return [{ type: "quorum", virtual_server: name, up: false, reason: "viprd stops" }];
}
