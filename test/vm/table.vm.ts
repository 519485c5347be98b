/** The table of virtual services itself, as `ipvsadm` sees it, and traffic that follows it. */
import { expect } from "vitest";
import { farm, server, settles, vip } from "./support/farm.ts";

farm("what ipvsadm adds is read back", { servers: 0 }, async (f) => {
  await f.restore([`-A -t ${vip}:80 -s wlc`, `-a -t ${vip}:80 -r ${server(1)}:8080 -m -w 3`]);
  expect(await f.saved()).toEqual([`-A -t ${vip}:80 -s wlc`, `-a -t ${vip}:80 -r ${server(1)}:8080 -m -w 3`]);
});

farm("a client reaches two servers through NAT", { servers: 2 }, async (f) => {
  await f.restore([
    `-A -t ${vip}:80 -s rr`,
    `-a -t ${vip}:80 -r ${server(1)}:8080 -m`,
    `-a -t ${vip}:80 -r ${server(2)}:8080 -m`,
  ]);
  for (const index of [1, 2]) await f.rs(index).listen("tcp", 8080);
  expect(await f.client.many(10, vip, 80)).toEqual({ rs1: 5, rs2: 5 });
  const counted = { [`TCP ${vip}:80 ${server(1)}:8080`]: 5, [`TCP ${vip}:80 ${server(2)}:8080`]: 5 };
  await settles(() => f.connections(), counted);
});
