/** What a scheduler does with weights and with the number of servers. */
import type { VirtualServerParameters } from "../lvs/parameters.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";

/** Slots of its table; they go out by weight. */
const slotsOfSh = 256;
/** As most distributions build it (IP_VS_MH_TAB_INDEX 12). For shares that are even to 1 % a server needs 100 slots. */
const slotsOfMh = 4093;
const slotsForEvenness = 100;

const ignoresWeights: readonly string[] = ["rr", "lc", "dh"];

export function checkScheduling(server: VirtualServerParameters, path: Path, report: Report): void {
  const { scheduler, slowStart } = server;
  checkFallback(server, path, report);
  checkSlots(server, path, report);
  checkWeights(server, path, report);
  if (slowStart === 0) return;
  if (["mh", "sh", "dh"].includes(scheduler.name)) {
    const message = `every step would move clients of other servers with lvs_sched: ${scheduler.name}: remove it, or choose wrr or wlc`;
    report.error([...path, "slow_start"], message);
  } else if (ignoresWeights.includes(scheduler.name)) {
    report.warn(
      [...path, "slow_start"],
      `has no effect with lvs_sched: ${scheduler.name}, which ignores weights: write w${scheduler.name}`,
    );
  }
}

function checkFallback(
  { scheduler: { name, fallback }, servers }: VirtualServerParameters,
  path: Path,
  report: Report,
): void {
  if ((name !== "mh" && name !== "sh") || fallback) return;
  const quiet = servers.some(({ weight, onFailure }) => weight === 0 || onFailure.action !== "remove");
  const now = quiet
    ? "clients whose server has weight 0 are refused, and servers here get it"
    : "clients of a drained server are refused";
  report.warn([...path, `${name}_fallback`], `${now}: write ${name}_fallback: true`);
}

function checkSlots({ scheduler: { name }, servers }: VirtualServerParameters, path: Path, report: Report): void {
  const at: Path = [...path, "real_server"];
  if (name === "mh" && servers.length > slotsOfMh / slotsForEvenness) {
    const most = Math.floor(slotsOfMh / slotsForEvenness);
    report.warn(
      at,
      `${servers.length} servers share ${slotsOfMh} slots with lvs_sched: mh in the usual kernel: above ${most} the shares become uneven`,
    );
  }
  if (name !== "sh") return;
  const weights = servers.reduce((sum, { weight }) => sum + weight, 0);
  if (servers.length > slotsOfSh) {
    report.warn(at, `sh has ${slotsOfSh} slots, and ${servers.length} servers want one: the rest gets nothing. Use mh`);
  } else if (weights > slotsOfSh) {
    const message = `sh has ${slotsOfSh} slots and gives each server as many as its weight; together they want ${weights}, and the last ones get none: use smaller weights`;
    report.warn(at, message);
  }
}

function checkWeights({ scheduler: { name }, servers }: VirtualServerParameters, path: Path, report: Report): void {
  if (!ignoresWeights.includes(name)) return;
  const weights = new Set(servers.map(({ weight }) => weight).filter((weight) => weight > 0));
  if (weights.size < 2) return;
  const advice = name === "dh" ? "choose another lvs_sched" : `write lvs_sched: w${name}`;
  report.warn([...path, "lvs_sched"], `${name} ignores weights, and the servers have different ones: ${advice}`);
}
