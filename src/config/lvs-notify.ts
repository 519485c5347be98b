/** Who is told of servers that come up and go down, and of a quorum: commands, checked. */
import { type CommandParameters, resolveTold, resolveWebhooks, type WebhookParameters } from "./notify.ts";
import type { Path } from "./problem.ts";
import type { LocatedServer, LooseVirtualServer } from "./real-servers.ts";
import type { Report } from "./report.ts";

export interface RealServerNotify {
  /** Its name in the virtual server: "192.0.2.21:443". */
  readonly name: string;
  readonly up?: CommandParameters;
  readonly down?: CommandParameters;
}

export interface VirtualServerNotify {
  readonly virtualServer: string;
  readonly quorumUp?: CommandParameters;
  readonly quorumDown?: CommandParameters;
  /** Only those with something to run. */
  readonly servers: readonly RealServerNotify[];
  /** Told of the quorum and of every server. */
  readonly webhooks: readonly WebhookParameters[];
}

/** Undefined when nobody is told. */
export function resolveLvsNotify(
  virtualServer: string,
  values: LooseVirtualServer,
  servers: readonly LocatedServer[],
  path: Path,
  report: Report,
): VirtualServerNotify | undefined {
  const quorumUp = resolveTold(values.quorum_up, [...path, "quorum_up"], report);
  const quorumDown = resolveTold(values.quorum_down, [...path, "quorum_down"], report);
  const usual = resolvePair(values, path, report);
  const own = (values.real_server ?? []).map((entry, i) =>
    entry === undefined ? {} : resolvePair(entry, [...path, "real_server", i], report),
  );
  const told = servers.flatMap(({ server: { name }, at }): RealServerNotify[] => {
    const pair = { ...usual, ...own[Number(at.at(-1))] };
    return pair.up === undefined && pair.down === undefined ? [] : [{ name, ...pair }];
  });
  const webhooks = resolveWebhooks(values.notify_webhook);
  if (quorumUp === undefined && quorumDown === undefined && told.length + webhooks.length === 0) return undefined;
  return {
    virtualServer,
    ...(quorumUp === undefined ? {} : { quorumUp }),
    ...(quorumDown === undefined ? {} : { quorumDown }),
    servers: told,
    webhooks,
  };
}

type Told = LooseVirtualServer["notify_up"];

function resolvePair(
  values: { readonly notify_up?: Told; readonly notify_down?: Told },
  path: Path,
  report: Report,
): Omit<RealServerNotify, "name"> {
  const up = resolveTold(values.notify_up, [...path, "notify_up"], report);
  const down = resolveTold(values.notify_down, [...path, "notify_down"], report);
  return { ...(up === undefined ? {} : { up }), ...(down === undefined ? {} : { down }) };
}

/** "virtual server https": where it differs who is told, wherever in the file it stands. */
export function differingLvsNotify(
  from: readonly VirtualServerNotify[] = [],
  to: readonly VirtualServerNotify[] = [],
): string[] {
  const textOf = (notify: VirtualServerNotify) =>
    JSON.stringify(notify, (key, value: unknown) => (key === "place" ? undefined : value));
  const before = new Map(from.map((notify) => [notify.virtualServer, textOf(notify)]));
  const after = new Map(to.map((notify) => [notify.virtualServer, textOf(notify)]));
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.filter((name) => before.get(name) !== after.get(name)).map((name) => `virtual server ${name}`);
}
