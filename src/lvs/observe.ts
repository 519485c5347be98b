/** What a decision sees of the table: all services of a virtual server together. Pure but for reading the mirror. */
import type { CheckVerdict } from "./assess.ts";
import { destinationText, type Mirror, portIn, serverKey } from "./mirror.ts";
import type { AdminEntry, ServiceAddress, VirtualServerParameters } from "./parameters.ts";
import type { Connections, Observed, Undeclared } from "./virtual-server.ts";

export interface World {
  readonly mirror: Mirror;
  verdict(check: string): CheckVerdict | undefined;
  admin(): readonly AdminEntry[];
  /** This program put the destination into the service. */
  owns(service: string, destination: string): boolean;
}

const none: Connections = { active: 0, inactive: 0 };

export function observe(parameters: VirtualServerParameters, world: World): Observed {
  const weights = new Map<string, number>();
  const connections = new Map<string, Connections | undefined>();
  const undeclared = new Map<string, Undeclared>();
  for (const service of parameters.services) {
    const mirrored = world.mirror.get(service);
    if (mirrored === undefined || mirrored.destinations.size === 0) continue;
    const declared = declaredIn(service, parameters);
    for (const [text, { settings, counts }] of mirrored.destinations) {
      const server = declared.get(text);
      const key = server ?? text;
      weights.set(key, Math.max(settings.weight, weights.get(key) ?? 0));
      const before = connections.has(key) ? connections.get(key) : none;
      // As long as it gets something new, a count says nothing about what will be there when it does not.
      const known = settings.weight === 0 && before !== undefined ? counts : undefined;
      connections.set(key, known === undefined || before === undefined ? undefined : sum(before, known));
      if (server !== undefined) continue;
      const ours = world.owns(mirrored.name, key) || undeclared.get(key)?.ours === true;
      undeclared.set(key, { key, settings, ours });
    }
  }
  return {
    verdict: world.verdict,
    // What is drained and what is down have to be asked, too.
    admin: parameters.probedBy === undefined ? world.admin() : [],
    found: (key) => weights.get(key),
    active: (key) => connections.get(key)?.active,
    connections: (key) => {
      const known = connections.get(key);
      return known && known.active + known.inactive;
    },
    undeclared: [...undeclared.values()],
  };
}

function sum(a: Connections, b: Connections): Connections {
  return { active: a.active + b.active, inactive: a.inactive + b.inactive };
}

/** Destinations of a service and the servers that they are. */
function declaredIn(
  service: ServiceAddress,
  { servers, sorryServer }: VirtualServerParameters,
): ReadonlyMap<string, string> {
  const all = sorryServer === undefined ? servers : [sorryServer, ...servers];
  return new Map(
    all.map((server) => [destinationText({ ...server, port: portIn(service, server.port) }), serverKey(server)]),
  );
}
