// The client against a kernel made of a function: what is sent when, and what becomes of the answers.
import { expect, test } from "vitest";
import { Ipvs, type IpvsOptions } from "../../src/lvs/ipvs.ts";
import type { ServiceAddress } from "../../src/lvs/parameters.ts";
import type { DestinationSettings, Operation } from "../../src/lvs/table.ts";
import { Connection } from "../../src/netlink/connection.ts";
import { NLM_F_ACK, NLM_F_DUMP } from "../../src/netlink/constants.ts";
import { hex } from "../support/hex.ts";
import { answer, done, FakeKernel, message, part, type Request } from "../support/netlink-kernel.ts";

const web: ServiceAddress = { kind: "address", family: 4, protocol: "tcp", address: "192.0.2.10", port: 80 };
const ENOENT = 2;
const ESRCH = 3;
const EBUSY = 16;
const EEXIST = 17;

function server(last: number): DestinationSettings {
  const address = `192.0.2.${last}`;
  const thresholds = { upperThreshold: 0, lowerThreshold: 0 };
  return { family: 4, address, port: 80, forwarding: { method: "dr" }, weight: 1, ...thresholds };
}

function add(last: number): Operation {
  return { type: "add-destination", service: web, settings: server(last) };
}

/** `family` answers its own lookup; the rest is up to `commands`. */
function kernelWith(commands: (request: Request, command: number) => Uint8Array[] | number, family = { id: 32 }) {
  const kernel: FakeKernel = new FakeKernel((request) => {
    const { type, flags, sequence, body } = request;
    if (type === 16) {
      if (family.id === 0) return [answer(sequence, ENOENT)];
      const found = Uint8Array.of(1, 2, 0, 0, 6, 0, 1, 0, family.id, 0, 0, 0);
      return [message(16, 0, sequence, found), answer(sequence, 0)];
    }
    if (type !== family.id) return [answer(sequence, ENOENT)];
    const result = commands(request, body[0] ?? 0);
    if (typeof result !== "number") return result;
    return result !== 0 || (flags & NLM_F_ACK) !== 0 ? [answer(sequence, result)] : [];
  });
  const send = kernel.send.bind(kernel);
  kernel.send = (bytes) => {
    setImmediate(() => kernel.turn());
    return send(bytes);
  };
  return kernel;
}

function open(kernel: FakeKernel, options: IpvsOptions = {}): Ipvs {
  return new Ipvs(new Connection(kernel), { proc: "/nonexistent", ...options });
}

function words(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "done",
    (error: unknown) => (error instanceof Error ? error.message : error),
  );
}

test("of many operations each has its own result, and a refused one stops none", async () => {
  const kernel = kernelWith(({ body }) => (body.includes(7) ? EEXIST : 0));
  const ipvs = open(kernel);
  const operations = Array.from({ length: 2500 }, (_, i) => add(i % 100 === 50 ? 7 : 100 + (i % 100)));
  const results = await ipvs.apply(operations);
  expect(results).toHaveLength(2500);
  expect(results.flatMap((result, i) => (result === undefined ? [] : [i % 100]))).toEqual(new Array(25).fill(50));
  expect(results[50]).toEqual({
    errno: EEXIST,
    message: "add server 192.0.2.7:80 to tcp 192.0.2.10:80: it exists already (EEXIST)",
  });
  expect(kernel.requests.filter(({ type }) => type === 32)).toHaveLength(2500);
});

test("what is wrong in itself is not sent", async () => {
  const kernel = kernelWith(() => 0);
  const ipvs = open(kernel);
  const wrong: Operation = { type: "add-destination", service: web, settings: { ...server(9), weight: -1, port: 81 } };
  const [first, second, third] = await ipvs.apply([add(1), wrong, add(2)]);
  expect([first, third]).toEqual([undefined, undefined]);
  expect(second?.message).toBe(
    "add server 192.0.2.9:81 to tcp 192.0.2.10:80: the method dr keeps the port 80, so a server cannot have 81; " +
      "the weight has to be a whole number from 0 to 2147483647, not -1",
  );
  expect(kernel.requests.filter(({ type }) => type === 32)).toHaveLength(2);
  await expect(ipvs.setTimeouts({ tcp: 0 })).rejects.toThrow("set the timeouts of IPVS: tcp, in seconds, has to be");
  expect(kernel.requests.filter(({ type }) => type === 32)).toHaveLength(2);
});

test("a dump waits for changes, and changes go before dumps", async () => {
  const order: number[] = [];
  const kernel = kernelWith(({ sequence, flags }, command) => {
    order.push(command);
    return (flags & NLM_F_DUMP) !== 0 ? [done(sequence)] : 0;
  });
  const ipvs = open(kernel);
  const all = [ipvs.services(), ipvs.destinations(web), ipvs.apply([add(1)]), ipvs.apply([add(2)]), ipvs.services()];
  expect(await Promise.all(all)).toEqual([[], [], [undefined], [undefined], []]);
  expect(order).toEqual([4, 5, 5, 8, 4]);
});

const destination = hex(
  `05 01 0000 3000 0200 0600 0b00 0200 0000 1400 0100 c0000215 000000000000000000000000
   0600 0200 0050 0000 0800 0400 05000000`,
);

test("a dump with entries twice is taken again, and told", async () => {
  let dumps = 0;
  const kernel = kernelWith(({ sequence }) => {
    dumps += 1;
    return [part(32, sequence, 0, destination, ...(dumps < 3 ? [destination] : [])), done(sequence)];
  });
  const raced: string[] = [];
  const ipvs = open(kernel, { raced: (what) => raced.push(what) });
  const found = await ipvs.destinations(web);
  expect(found.map(({ settings }) => settings)).toEqual([
    {
      family: 4,
      address: "192.0.2.21",
      port: 80,
      forwarding: { method: "nat" },
      weight: 5,
      upperThreshold: 0,
      lowerThreshold: 0,
    },
  ]);
  expect(raced).toEqual(new Array(2).fill("list the servers of tcp 192.0.2.10:80"));
});

test("a dump that the kernel has no room for is asked for again", async () => {
  let dumps = 0;
  const kernel = kernelWith(({ sequence }) => (++dumps < 3 ? [answer(sequence, EBUSY)] : [done(sequence)]));
  expect(await open(kernel).services()).toEqual([]);
  const never = kernelWith(({ sequence }) => [answer(sequence, EBUSY)]);
  expect(await words(open(never).services())).toBe("list services: EBUSY");
});

test("a module that was loaded anew has another number", async () => {
  const family = { id: 32 };
  const kernel = kernelWith(({ sequence, flags }) => ((flags & NLM_F_DUMP) !== 0 ? [done(sequence)] : 0), family);
  const ipvs = open(kernel);
  await ipvs.services();
  family.id = 33;
  expect(await ipvs.services()).toEqual([]);
  family.id = 34;
  expect(await ipvs.apply([add(1), add(2)])).toEqual([undefined, undefined]);
  family.id = 0;
  expect(await words(ipvs.services())).toMatch(
    /^find the load balancer of the kernel \(IPVS\): ENOENT \(.*modprobe|CONFIG/,
  );
});

test("errors say what to do", async () => {
  const refused = (errno: number) => open(kernelWith(() => errno));
  const first = async (errno: number, operation: Operation) => (await refused(errno).apply([operation]))[0]?.message;
  const settings = { scheduler: "mh", flags: 1, timeout: 60, netmask: 0xffffffff, engine: "sip" };
  const sip: ServiceAddress = { ...web, protocol: "udp", port: 5060 };
  expect(await first(ENOENT, { type: "add-service", service: sip, settings })).toBe(
    "add udp 192.0.2.10:5060: the kernel does not know the scheduler mh or the persistence engine sip and could not " +
      "load it: modprobe ip_vs_mh, modprobe ip_vs_pe_sip (ENOENT)",
  );
  expect(
    await first(ENOENT, { type: "delete-destination", service: web, family: 4, address: "192.0.2.1", port: 80 }),
  ).toBe("delete server 192.0.2.1:80 from tcp 192.0.2.10:80: there is no such server (ENOENT)");
  expect(await first(ESRCH, add(1))).toBe(
    "add server 192.0.2.1:80 to tcp 192.0.2.10:80: there is no such service (ESRCH)",
  );
  expect(await first(1, { type: "delete-service", service: web })).toBe(
    "delete tcp 192.0.2.10:80: it takes CAP_NET_ADMIN in the initial user namespace (EPERM)",
  );
  expect(await words(refused(1).services())).toBe(
    "list services: EPERM (it takes CAP_NET_ADMIN in the initial user namespace)",
  );
  const daemon = { interface: "eth1", syncId: 5, group: "224.0.0.81", port: 8848, ttl: 1 };
  expect(await words(refused(EEXIST).startSyncDaemon({ role: "master", parameters: daemon }))).toBe(
    "start the sync master on eth1: EEXIST (it is running already)",
  );
  expect(await words(refused(ESRCH).stopSyncDaemon("backup"))).toBe("stop the sync backup: ESRCH (it is not running)");
  expect(await words(refused(ESRCH).zero(web))).toBe(
    "set the counters of tcp 192.0.2.10:80 to zero: ESRCH (there is no such service)",
  );
});

test("a service that is not there is no error", async () => {
  expect(await open(kernelWith(() => ESRCH)).service(web)).toBeUndefined();
});

test("without /proc the fingerprint comes from dumps", async () => {
  let weight = 5;
  const kernel = kernelWith(({ sequence }, command) => {
    const service = hex(
      `01 01 0000 3000 0100 0600 0100 0200 0000 0600 0200 0600 0000 1400 0300 c000020a 000000000000000000000000
       0600 0400 0050 0000`,
    );
    const server = destination.with(destination.length - 4, weight);
    return [part(32, sequence, 0, command === 4 ? service : server), done(sequence)];
  });
  const ipvs = open(kernel);
  const before = await ipvs.fingerprint();
  expect(await ipvs.fingerprint()).toBe(before);
  weight = 6;
  expect(await ipvs.fingerprint()).not.toBe(before);
});

test("what waits when the client is closed is told so", async () => {
  const ipvs = open(new FakeKernel());
  const waiting = [words(ipvs.services()), words(ipvs.apply([add(1)])), words(ipvs.zero())];
  ipvs.close();
  for (const outcome of await Promise.all(waiting)) expect(outcome).toMatch(/ECANCELED \(connection closed\)$/);
});
