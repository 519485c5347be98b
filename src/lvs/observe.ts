/** What a decision sees of the table: all services of a virtual server together. Pure but for reading the mirror. */
import type { CheckVerdict } from "./assess.ts";
import { destinationText, type Mirror } from "./mirror.ts";
import type { AdminEntry, VirtualServerParameters } from "./parameters.ts";
import type { Observed, Undeclared } from "./virtual-server.ts";

export interface World {
  readonly mirror: Mirror;
  verdict(check: string): CheckVerdict | undefined;
  readonly admin: readonly AdminEntry[];
  /** This program put the destination into the service. */
  owns(service: string, destination: string): boolean;
}

export function observe(parameters: VirtualServerParameters, world: World): Observed {
  const weights = new Map<string, number>();
  const connections = new Map<string, number | undefined>();
  const undeclared = new Map<string, Undeclared>();
  const declared = new Set(parameters.servers.map(destinationText));
  if (parameters.sorryServer !== undefined) declared.add(destinationText(parameters.sorryServer));
  for (const service of parameters.services) {
    const known = world.mirror.get(service);
    if (known === undefined) continue;
    for (const [key, { settings, counts }] of known.destinations) {
      weights.set(key, Math.max(settings.weight, weights.get(key) ?? 0));
      const before = connections.has(key) ? connections.get(key) : 0;
      const sum = counts === undefined || before === undefined ? undefined : before + counts.active + counts.inactive;
      connections.set(key, sum);
      if (declared.has(key)) continue;
      const ours = world.owns(known.name, key) || undeclared.get(key)?.ours === true;
      undeclared.set(key, { key, settings, ours });
    }
  }
  return {
    verdict: world.verdict,
    admin: world.admin,
    found: (key) => weights.get(key),
    connections: (key) => connections.get(key),
    undeclared: [...undeclared.values()],
  };
}
