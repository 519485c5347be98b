/** Every way from the director to the servers, set up by viprd: the table, the traffic, and a server that fails. */
import { expect } from "vitest";
import { healthPort, httpCheck, type Method, service, services } from "./support/config.ts";
import { type Farm, farm, guePort, server, server6, settles, vip, vip6 } from "./support/farm.ts";
import type { Counts } from "./support/peer.ts";

interface Path {
  readonly method: Method;
  readonly family: 4 | 6;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

/** A destination as ipvsadm saves it: before its weight, and after. */
const flags: Readonly<Record<Method, readonly [string, string]>> = {
  nat: ["-m", ""],
  direct: ["-g", ""],
  ipip: ["-i", " --tun-type ipip"],
  gre: ["-i", " --tun-type gre --tun-nocsum"],
  gue: ["-i", ` --tun-type gue --tun-port ${guePort} --tun-nocsum`],
};

function name({ method, family, protocol }: Path): string {
  return `${protocol}-${method}-${family}`;
}

/** Answers of one-packet services are not translated back. */
function onePacket({ method, protocol }: Path): boolean {
  return protocol === "udp" && method !== "nat";
}

function table(paths: readonly Path[], indexes: readonly number[]): string[] {
  return paths
    .flatMap((path) => {
      const { method, family, protocol, port } = path;
      const key = `-${protocol === "tcp" ? "t" : "u"} ${family === 4 ? vip : `[${vip6}]`}:${port}`;
      const real = (index: number): string => (family === 4 ? server(index) : `[${server6(index)}]`);
      const head = `-A ${key} -s rr${onePacket(path) ? " -o" : ""}`;
      const [before, after] = flags[method];
      return [[head, ...indexes.map((index) => `-a ${key} -r ${real(index)}:${port} ${before} -w 1${after}`)]];
    })
    .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1))
    .flat();
}

async function asked(f: Farm, paths: readonly Path[], times: number): Promise<Record<string, Counts>> {
  const ask = async (path: Path): Promise<[string, Counts]> => {
    const { family, protocol: kind, port } = path;
    return [name(path), await f.client.many(times, family === 4 ? vip : vip6, port, { kind })];
  };
  return Object.fromEntries(await Promise.all(paths.map(ask)));
}

function all(paths: readonly Path[], counts: Counts): Record<string, Counts> {
  return Object.fromEntries(paths.map((path) => [name(path), counts]));
}

async function travels(f: Farm, paths: readonly Path[], own: boolean): Promise<void> {
  for (const rs of f.servers) {
    await rs.listen("http", healthPort);
    for (const { protocol, family, port } of paths) {
      // Answers to datagrams come from the address they went to only when that is said.
      if (protocol === "udp" && own) await rs.listen("udp", port, family === 4 ? vip : vip6);
      else if (protocol === "udp") await rs.listen("udp", port);
      else if (family === 4) await rs.listen("tcp", port);
    }
  }
  const entries = paths.map((path) =>
    service(name(path), { ...path, servers: [1, 2], check: httpCheck, more: onePacket(path) ? ["ops: true"] : [] }),
  );
  const viprd = f.viprd(services(...entries));
  await settles(() => f.saved(), table(paths, [1, 2]));
  expect(await asked(f, paths, 6)).toEqual(all(paths, { rs1: 3, rs2: 3 }));

  await f.rs(1).answer(503);
  await settles(() => f.saved(), table(paths, [2]));
  expect(await asked(f, paths, 4)).toEqual(all(paths, { rs2: 4 }));
  await f.rs(1).answer(200);
  await settles(() => f.saved(), table(paths, [1, 2]));
  expect(await asked(f, paths, 4)).toEqual(all(paths, { rs1: 2, rs2: 2 }));

  await viprd.term();
  expect(await f.saved(), "the table after a stop").toEqual(table(paths, [1, 2]));
  expect(await asked(f, paths, 4)).toEqual(all(paths, { rs1: 2, rs2: 2 }));
}

farm("NAT carries TCP and UDP, over IPv4 and IPv6", { wiring: "nat" }, async (f) => {
  const paths: Path[] = [
    { method: "nat", family: 4, protocol: "tcp", port: 80 },
    { method: "nat", family: 4, protocol: "udp", port: 80 },
    { method: "nat", family: 6, protocol: "tcp", port: 80 },
  ];
  await travels(f, paths, false);
});

farm("direct routing and every tunnel carry TCP and UDP", { wiring: "direct" }, async (f) => {
  const paths: Path[] = [
    ...(["direct", "ipip", "gre", "gue"] as const).flatMap((method, index) => [
      { method, family: 4 as const, protocol: "tcp" as const, port: 80 + index },
      { method, family: 4 as const, protocol: "udp" as const, port: 80 + index },
    ]),
    { method: "direct", family: 6, protocol: "tcp", port: 80 },
    { method: "ipip", family: 6, protocol: "tcp", port: 81 },
  ];
  await travels(f, paths, true);
});
