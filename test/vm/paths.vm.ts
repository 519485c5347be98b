/** Every way from the director to the servers carries traffic, with tables that `ipvsadm` made: the farm is what it says. */
import { expect } from "vitest";
import { farm, guePort, type Method, server, server6, settles, vip, vip6 } from "./support/farm.ts";

/** The options of a destination. */
const options: Readonly<Record<Method, string>> = {
  nat: "-m",
  direct: "-g",
  tunnel: "-i",
  gre: "-i --tun-type gre",
  gue: `-i --tun-type gue --tun-port ${guePort}`,
};

for (const method of ["nat", "direct", "tunnel", "gre", "gue"] as const) {
  farm(`TCP and UDP by ${method}`, { method }, async (f) => {
    const to = (index: number): string => `-r ${server(index)}:80 ${options[method]}`;
    // Answers of one-packet services are not translated back.
    const onePacket = method === "nat" ? "" : " -o";
    await f.restore([
      ...[`-A -t ${vip}:80 -s rr`, `-a -t ${vip}:80 ${to(1)}`, `-a -t ${vip}:80 ${to(2)}`],
      ...[`-A -u ${vip}:80 -s rr${onePacket}`, `-a -u ${vip}:80 ${to(1)}`, `-a -u ${vip}:80 ${to(2)}`],
    ]);
    await Promise.all(
      [f.rs(1), f.rs(2)].flatMap((rs) => [
        rs.listen("tcp", 80),
        rs.listen("udp", 80, method === "nat" ? undefined : vip),
      ]),
    );
    expect(await f.client.many(10, vip, 80)).toEqual({ rs1: 5, rs2: 5 });
    expect(await f.client.many(10, vip, 80, { kind: "udp" })).toEqual({ rs1: 5, rs2: 5 });
    const key = (protocol: string, index: number): string => `${protocol} ${vip}:80 ${server(index)}:80`;
    const counted = { [key("TCP", 1)]: 5, [key("TCP", 2)]: 5 };
    // Nothing is kept of a packet that was scheduled by itself, and it is counted all the same.
    await settles(() => f.connections(), { ...counted, [key("UDP", 1)]: 5, [key("UDP", 2)]: 5 });
  });
}

for (const method of ["nat", "direct", "tunnel"] as const) {
  farm(`TCP over IPv6 by ${method}`, { method }, async (f) => {
    const service = `-t [${vip6}]:80`;
    const to = (index: number): string => `-a ${service} -r [${server6(index)}]:80 ${options[method]}`;
    await f.restore([`-A ${service} -s rr`, to(1), to(2)]);
    await Promise.all([f.rs(1).listen("tcp", 80), f.rs(2).listen("tcp", 80)]);
    expect(await f.client.many(10, vip6, 80)).toEqual({ rs1: 5, rs2: 5 });
  });
}
