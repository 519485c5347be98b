/** What the kernel takes without a word although it cannot work, or not as it reads: rules between the keys of a virtual server. */
import type { LvsParameters, VirtualServerParameters } from "../lvs/parameters.ts";
import { checkScheduling } from "./lvs-scheduling-rules.ts";
import type { Path } from "./problem.ts";
import type { LocatedServer, LooseVirtualServer } from "./real-servers.ts";
import type { Report } from "./report.ts";
import type { ResolvedVirtualServer } from "./virtual-server.ts";

/** What `global` decides for all of them. */
export interface Shared extends Pick<LvsParameters, "settings" | "settingsProfile"> {
  readonly syncDaemon: LvsParameters["syncDaemon"];
}

export function checkVirtualServer(
  { parameters, servers }: ResolvedVirtualServer,
  values: LooseVirtualServer,
  shared: Shared,
  path: Path,
  report: Report,
): void {
  checkService(parameters, path, report);
  // Of a list that a bad entry was left out of, what is missing is not known.
  const complete = values.real_server?.every((entry) => entry?.address !== undefined);
  if (complete === true && !report.has([...path, "real_server"])) {
    checkServers(parameters, values, path, report);
    checkQuorum(parameters, path, report);
    checkChecks(parameters, servers, values, path, report);
    checkScheduling(parameters, path, report);
  }
  checkStickiness(parameters, servers, shared, path, report);
  checkFamilies(parameters, servers, shared, report);
  checkUnused(parameters, values, path, report);
}

function checkService(
  { services, persistence, onePacket, ...server }: VirtualServerParameters,
  path: Path,
  report: Report,
): void {
  for (const service of services) {
    if (service.kind === "mark") continue;
    if (service.port === 0 && persistence === undefined) {
      const at = services.length === 1 ? [...path, "port"] : [...path, "group"];
      report.error(
        at,
        "0 stands for all ports, which the kernel balances with persistence_timeout only: write that, or the port",
      );
      return;
    }
    if (onePacket && service.protocol !== "udp") {
      report.error(
        [...path, "ops"],
        `schedules single packets, and ${service.protocol} needs all of a connection at one server: write protocol: udp, or remove it`,
      );
      return;
    }
  }
  if (!onePacket || persistence?.engine === "sip") return;
  if (server.servers.some(({ forwarding }) => forwarding.method === "nat")) {
    report.warn(
      [...path, "ops"],
      "keeps no connections, so answers of servers with lvs_method: nat are not translated back: write dr or tun",
    );
  }
}

function checkServers(
  { servers, sorryServer }: VirtualServerParameters,
  values: LooseVirtualServer,
  path: Path,
  report: Report,
): void {
  const at: Path = [...path, "real_server"];
  const same = servers.find(({ address, port }) => address === sorryServer?.address && port === sorryServer.port);
  if (same !== undefined) {
    report.error(
      [...path, "sorry_server", "address"],
      `${same.name} is a real server, too: it cannot stand in for itself`,
    );
  }
  if (servers.length === 0) {
    if (values.sorry_server === undefined) report.error(at, "names no server: every client would be refused");
    else report.warn(at, "names no server: everything goes to the sorry server");
  } else if (servers.every(({ weight }) => weight === 0)) {
    report.warn(at, "all weights are 0: no server gets anything new");
  }
}

function checkQuorum({ servers, quorum, hysteresis }: VirtualServerParameters, path: Path, report: Report): void {
  if (hysteresis >= quorum) {
    const most = quorum - 1;
    report.error(
      [...path, "hysteresis"],
      `expected less than quorum, ${quorum}, got ${hysteresis}: write ${most} at most`,
    );
    return;
  }
  const weights = servers.reduce((sum, { weight }) => sum + weight, 0);
  if (weights === 0 || quorum + hysteresis <= weights) return;
  const needed = hysteresis === 0 ? `${quorum}` : `${quorum} + ${hysteresis} (hysteresis)`;
  const given = report.isGiven([...path, "quorum"]) ? "quorum" : "hysteresis";
  report.error(
    [...path, given],
    `is never reached: it needs ${needed}, and the weights of all servers together are ${weights}`,
  );
}

function checkChecks(
  { servers, suspendUnless }: VirtualServerParameters,
  located: readonly LocatedServer[],
  values: LooseVirtualServer,
  path: Path,
  report: Report,
): void {
  // An empty list says that it is meant so, and what could not be understood has its message.
  const unchecked = report.isGiven([...path, "check"])
    ? []
    : located.filter(({ server, at }) => server.checks.length === 0 && !report.isGiven([...at, "check"]));
  const [first] = unchecked;
  if (first !== undefined) {
    const all = unchecked.length === servers.length;
    const who =
      unchecked.length === 1
        ? first.server.name
        : all
          ? "no server"
          : `${unchecked.length} servers, ${first.server.name} among them,`;
    const does =
      all && unchecked.length > 1 ? "has a check" : unchecked.length === 1 ? "has no check" : "have no check";
    report.warn(
      all ? path : first.at,
      `${who} ${does}: clients are sent to a dead server, too. Write check:, or check: [] if that is meant`,
    );
  }
  if (servers.length === 0 || servers.some(({ checks }) => checks.length > 0)) return;
  if (suspendUnless !== undefined) report.warn([...path, "ha_suspend"], "has no effect without checks");
  if (values.alpha === true) report.warn([...path, "alpha"], "has no effect without checks: remove it");
}

/** Clients that the kernel sends to the same server again, whatever its weight is. */
function checkStickiness(
  { services, persistence, onePacket }: VirtualServerParameters,
  servers: readonly LocatedServer[],
  { settings, settingsProfile }: Shared,
  path: Path,
  report: Report,
): void {
  const udp = services.some((service) => service.kind === "address" && service.protocol === "udp") && !onePacket;
  const expires = settings["net.ipv4.vs.expire_quiescent_template"] ?? (settingsProfile === undefined ? "0" : "1");
  const template = persistence !== undefined && expires === "0";
  if (!udp && !template) return;
  const how = "write on_failure: remove";
  const setting = "write lvs_sysctl: { expire_quiescent_template: 1 } in global";
  const quiet = servers.find(({ server: { onFailure } }) => onFailure.action !== "remove");
  if (quiet !== undefined) {
    const at = policyPath(quiet.at, path, report);
    const why = template
      ? `known clients of a persistent service go on coming to a server of weight 0: ${how}, or ${setting}`
      : `a UDP flow stays with a server of weight 0 as long as it sends: ${how}`;
    report.warn(at, why);
  }
  const zero = servers.find(({ server: { weight } }) => weight === 0);
  if (template && zero !== undefined) {
    report.warn(
      [...zero.at, "weight"],
      `0 keeps new clients away, but known ones of a persistent service go on coming: ${setting}`,
    );
  }
}

function policyPath(server: Path, path: Path, report: Report): Path {
  const candidates = [server, path].flatMap((at) => [
    [...at, "on_failure"],
    [...at, "inhibit_on_failure"],
  ]);
  return candidates.find((at) => report.isGiven(at)) ?? path;
}

function checkFamilies(
  { services }: VirtualServerParameters,
  servers: readonly LocatedServer[],
  { syncDaemon }: Shared,
  report: Report,
): void {
  const family = services[0]?.family;
  const other = servers.find(({ server }) => server.family !== family);
  if (syncDaemon === undefined || other === undefined || other.server.forwarding.method !== "tun") return;
  const message = `is IPv${other.server.family} and the service is IPv${family}, which the kernel does not take while lvs_sync_daemon runs`;
  report.error([...other.at, "address"], message);
}

/** What is written and does nothing. */
function checkUnused(
  { servers, omega, sorryServer }: VirtualServerParameters,
  values: LooseVirtualServer,
  path: Path,
  report: Report,
): void {
  const all = values.real_server ?? [];
  const tunnels = [...servers, ...(sorryServer === undefined ? [] : [sorryServer])].some(
    ({ forwarding }) => forwarding.method === "tun",
  );
  if (values.tunnel !== undefined && !tunnels) {
    report.error([...path, "tunnel"], "has no effect: write lvs_method: tun, or remove it");
  }
  if (values.check !== undefined && all.length > 0 && all.every((entry) => entry?.check !== undefined)) {
    report.warn([...path, "check"], "has no effect: every server has checks of its own");
  }
  if (omega && values.quorum_down === undefined) report.warn([...path, "omega"], "has no effect without quorum_down");
}
