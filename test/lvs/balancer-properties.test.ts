/**
 * Whatever happens, in whatever order: verdicts, operators, reloads, others who change the table, a kernel that refuses,
 * crashes between any two operations. What may never be seen in between, and what must be seen in the end.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type {
  AdminEntry,
  FailurePolicy,
  LvsParameters,
  RealServerParameters,
  SorryServerParameters,
  VirtualServerParameters,
} from "../../src/lvs/parameters.ts";
import type { Operation } from "../../src/lvs/table.ts";
import { serviceText } from "../../src/lvs/text.ts";
import { ErrorNumber } from "../../src/socket/errno.ts";
import {
  adminEntry,
  lvs,
  realServer,
  SimulatedBalancer,
  service,
  VirtualTime,
  virtualServer,
} from "../support/simulated-balancer.ts";
import { MemoryNote, MortalPort, SimulatedIpvs } from "../support/simulated-ipvs.ts";

const all = [21, 22, 23, 24] as const;
const foreign = service("198.51.100.1");

type Step =
  | { readonly type: "verdict"; readonly server: number; readonly up: boolean }
  | { readonly type: "verdicts"; readonly up: boolean }
  | { readonly type: "admin"; readonly entries: readonly AdminEntry[] }
  | { readonly type: "reload"; readonly parameters: LvsParameters }
  | { readonly type: "edit"; readonly server: number; readonly weight: number }
  | { readonly type: "delete" | "add"; readonly server: number }
  | { readonly type: "delete-service" }
  | { readonly type: "refuse"; readonly every: number }
  | { readonly type: "connections"; readonly server: number; readonly count: number }
  | { readonly type: "crash"; readonly after: number }
  | { readonly type: "time"; readonly duration: number };

const policy: fc.Arbitrary<FailurePolicy> = fc.oneof(
  fc.constant<FailurePolicy>({ action: "quiesce" }),
  fc.constant<FailurePolicy>({ action: "remove" }),
  fc.constant<FailurePolicy>({ action: "quiesce_then_remove", after: 20_000 }),
);

const server = (n: number): fc.Arbitrary<RealServerParameters> =>
  fc
    .record({ weight: fc.constantFrom(1, 3), onFailure: policy, alpha: fc.constantFrom(true, true, false) })
    .map((changes) => realServer(n, changes));

const sorryServer = (n: number): Omit<SorryServerParameters, "inhibit"> => ({
  name: `192.0.2.${n}:80`,
  family: 4,
  address: `192.0.2.${n}`,
  port: 80,
  forwarding: { method: "dr" },
});

const web: fc.Arbitrary<VirtualServerParameters> = fc
  .record({
    services: fc.constantFrom(
      [service()],
      [service(), service("192.0.2.11")],
      [service("192.0.2.11")],
      [service(), service("192.0.2.12", 80, "udp")],
    ),
    servers: fc.subarray([...all], { minLength: 1 }).chain((some) => fc.tuple(...some.map(server))),
    scheduler: fc.constantFrom("wlc", "wrr", "mh"),
    sorry: fc.constantFrom("none", "plain", "plain", "inhibit"),
    sorryAt: fc.constantFrom(30, ...all),
    quorum: fc.constantFrom(1, 1, 2, 4),
    hysteresis: fc.constantFrom(0, 0, 1),
    slowStart: fc.constantFrom(0, 10_000),
    drainTimeout: fc.constantFrom(0, 5000, 60_000),
    onePacket: fc.boolean(),
    panicThreshold: fc.constantFrom(0, 0, 50),
    flapDamping: fc.constantFrom({ changes: 2, within: 20_000 }, { changes: 100, within: 1000 }),

    onDrift: fc.constantFrom("repair", "repair", "report", "ignore"),
  })
  .map(({ scheduler, sorry, sorryAt, ...changes }) => {
    // What was a server may be the sorry server after a reload, and the other way round.
    const at = changes.servers.some(({ address }) => address === `192.0.2.${sorryAt}`) ? 30 : sorryAt;
    return virtualServer({
      ...changes,
      scheduler: { name: scheduler, fallback: scheduler === "mh", port: false, flags: [] },
      ...(sorry === "none" ? {} : { sorryServer: { ...sorryServer(at), inhibit: sorry === "inhibit" } }),
    });
  });

const admin = fc.constantFrom<AdminEntry["what"]>(
  { type: "drain" },
  { type: "maintenance" },
  { type: "weight", weight: 5 },
  { type: "weight_percent", percent: 30 },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant("verdict"), server: fc.constantFrom(...all), up: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("verdicts"), up: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("admin"),
      entries: fc.array(
        fc.tuple(fc.constantFrom(...all), admin).map(([n, what]) => adminEntry(n, what)),
        { maxLength: 2 },
      ),
    }),
  },
  { weight: 2, arbitrary: web.map((parameters) => ({ type: "reload", parameters: lvs(parameters) })) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("edit"),
      server: fc.constantFrom(...all),
      weight: fc.constantFrom(0, 1, 77),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom("delete", "add"), server: fc.constantFrom(...all, 99) }) },
  { weight: 1, arbitrary: fc.constant({ type: "delete-service" }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("refuse"), every: fc.constantFrom(1, 2, 3) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("connections"),
      server: fc.constantFrom(...all),
      count: fc.constantFrom(0, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("crash"), after: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("time"), duration: fc.constantFrom(500, 3000, 30_000) }) },
) as fc.Arbitrary<Step>;

/** A daemon that lives and dies, on a kernel that stays. */
class Story {
  readonly kernel = new SimulatedIpvs();
  readonly note = new MemoryNote();
  readonly verdicts = new Map<number, boolean>();
  admin: readonly AdminEntry[] = [];
  parameters: LvsParameters;
  port: MortalPort;
  it: SimulatedBalancer;
  /** Nobody else has changed the table, and nothing was refused. */
  #undisturbed = true;
  /** Services with a destination that takes connections: at the last rest, and whether it was missing in between. */
  readonly #served = new Map<string, { before: boolean; gap: Operation | undefined }>();
  readonly #problems: string[] = [];

  constructor(parameters: LvsParameters) {
    this.parameters = parameters;
    const settings = { scheduler: "rr", flags: 0, timeout: 0, netmask: 0xffffffff };
    this.kernel.perform({ type: "add-service", service: foreign, settings });
    this.port = new MortalPort(this.kernel);
    this.it = new SimulatedBalancer(this.port, new VirtualTime(), this.note);
    this.kernel.watch = (operation) => this.#watch(operation);
  }

  async start(): Promise<void> {
    for (const [n, up] of this.verdicts) this.it.balancer.verdict(`c${n}`, up, "told");
    this.it.balancer.admin(this.admin);
    await this.it.start(this.parameters);
  }

  async play(what: Step): Promise<void> {
    this.#rest();
    switch (what.type) {
      case "verdict":
        this.verdicts.set(what.server, what.up);
        this.#rest();
        this.it.balancer.verdict(`c${what.server}`, what.up, "told");
        break;
      case "verdicts":
        for (const n of all) await this.play({ type: "verdict", server: n, up: what.up });
        break;
      case "admin":
        this.admin = what.entries;
        this.it.balancer.admin(what.entries);
        break;
      case "reload":
        this.parameters = what.parameters;
        this.#check();
        this.it.balancer.configure(what.parameters);
        // Checks that are new run, and find what they find.
        for (const [n, up] of this.verdicts) this.it.balancer.verdict(`c${n}`, up, "told");
        break;
      case "crash":
        await this.crash(what.after);
        break;
      case "time":
        await this.it.time.advance(what.duration);
        break;
      case "refuse": {
        this.#undisturbed = false;
        let count = 0;
        this.kernel.refuse = () => (count++ % what.every === 0 ? ErrorNumber.ENOMEM : undefined);
        await this.it.time.advance(3000);
        this.kernel.refuse = () => undefined;
        break;
      }
      case "edit":
      case "delete":
      case "add":
      case "delete-service":
      case "connections":
        if (what.type !== "connections") this.#undisturbed = false;
        this.#others(what);
        this.#rest();
        return;
    }
    await this.it.time.settle();
    this.#check();
    if (this.#undisturbed) this.#checkSorry();
  }

  /** Ends it after so many more operations, and starts another one. */
  async crash(after: number): Promise<void> {
    this.port.dieAfter(after);
    // Something has to be going on: everybody is up, or nobody.
    const up = ![...this.verdicts.values()].some((value) => value);
    for (const n of all) this.verdicts.set(n, up);
    this.#rest();
    for (const n of all) this.it.balancer.verdict(`c${n}`, up, "told");
    await this.it.time.settle();
    this.#check();
    const time = this.it.time.fork();
    this.port = new MortalPort(this.kernel);
    this.it = new SimulatedBalancer(this.port, time, this.note);
    await this.start();
  }

  get problems(): readonly string[] {
    return this.#problems;
  }

  #others(what: Extract<Step, { type: "edit" | "delete" | "add" | "delete-service" | "connections" }>): void {
    const target = service();
    const address = what.type === "delete-service" ? "" : `192.0.2.${what.server}`;
    const found = this.kernel.table
      .get(serviceText(target))
      ?.destinations.find(({ settings }) => settings.address === address);
    const settings = {
      family: 4,
      address,
      port: 80,
      forwarding: { method: "dr" },
      upperThreshold: 0,
      lowerThreshold: 0,
    } as const;
    switch (what.type) {
      case "edit":
        if (found !== undefined) found.settings = { ...found.settings, weight: what.weight };
        break;
      case "connections":
        if (found !== undefined) found.active = what.count;
        break;
      case "delete":
        this.kernel.perform({ type: "delete-destination", service: target, family: 4, address, port: 80 });
        break;
      case "add":
        this.kernel.perform({ type: "add-destination", service: target, settings: { ...settings, weight: 1 } });
        break;
      case "delete-service":
        this.kernel.perform({ type: "delete-service", service: target });
        break;
    }
  }

  /** Takes connections, and is not known to be down. */
  #serves(name: string): boolean {
    const working = (address: string) => this.verdicts.get(Number(address.split(".").at(-1))) !== false;
    const destinations = this.kernel.table.get(name)?.destinations ?? [];
    return destinations.some(({ settings: { weight, address } }) => weight > 0 && working(address));
  }

  #rest(): void {
    this.#served.clear();
    for (const name of this.kernel.table.keys()) this.#served.set(name, { before: this.#serves(name), gap: undefined });
  }

  /** One that had a destination before and has one after had one all the time. */
  #check(): void {
    for (const [name, { before, gap }] of this.#served) {
      if (before && gap !== undefined && this.#serves(name)) this.#problems.push(`${name} had none after ${gap.type}`);
    }
    this.#rest();
  }

  /** Where there is a sorry server, either it takes connections or others do. */
  #checkSorry(): void {
    for (const { services, sorryServer: sorry } of this.parameters.virtualServers) {
      // A service that comes with a reload may wait for what goes on in another one.
      const [address] = services.length > 1 ? [] : services;
      if (sorry === undefined || address === undefined) continue;
      const destinations = this.kernel.table.get(serviceText(address))?.destinations ?? [];
      const taking = destinations.filter(({ settings }) => settings.weight > 0).map(({ settings }) => settings.address);
      if (taking.length === 0 || (taking.includes(sorry.address) && taking.length > 1))
        this.#problems.push(
          `${serviceText(address)}: ${taking.join(" and ") || "nobody"} instead of ${sorry.address} alone`,
        );
    }
  }

  #watch(operation: Operation): void {
    const name = serviceText(operation.service);
    if (name === serviceText(foreign)) this.#problems.push(`touched ${name}: ${operation.type}`);
    const served = this.#served.get(name);
    if (served !== undefined && !this.#serves(name)) served.gap ??= operation;
    if (operation.type === "delete-destination") this.#flow(name, operation.address);
  }

  /** Under quiesce the destination of a flow stays, whatever the checks say. */
  #flow(name: string, address: string): void {
    const of = this.parameters.virtualServers.find(({ services }) => services.map(serviceText).includes(name));
    const declared = of?.servers.find((each) => each.address === address);
    if (declared?.onFailure.action === "quiesce" && !name.startsWith("udp"))
      this.#problems.push(`${address} was deleted under quiesce`);
  }
}

/** Nothing happens for long enough: what the table says then. */
async function rested(story: Story): Promise<void> {
  story.kernel.refuse = () => undefined;
  for (const n of all) if (!story.verdicts.has(n)) await story.play({ type: "verdict", server: n, up: n % 2 === 0 });
  for (const { destinations } of story.kernel.table.values()) for (const each of destinations) each.active = 0;
  // As whoever reads the file anew has it.
  await story.play({ type: "reload", parameters: story.parameters });
  await story.it.time.advance(300_000);
}

test("what may not be seen is never seen, and in the end the table is as it should be", async () => {
  await fc.assert(
    fc.asyncProperty(web, fc.array(step, { maxLength: 25 }), async (first, steps) => {
      const story = new Story(lvs(first));
      await story.start();
      for (const each of steps) await story.play(each);
      await rested(story);
      expect(story.problems).toEqual([]);
      const declared = story.parameters.virtualServers.flatMap(({ services, onDrift }) => {
        return services.filter((address) => onDrift !== "ignore" || story.kernel.table.has(serviceText(address)));
      });
      expect([...story.kernel.table.keys()].sort()).toEqual([foreign, ...declared].map(serviceText).sort());
      for (const parameters of story.parameters.virtualServers) checkEnd(story, parameters);
      // Whoever does the same once more has nothing to do.
      story.kernel.asked.splice(0);
      await story.play({ type: "reload", parameters: story.parameters });
      await story.it.time.advance(60_000);
      expect(story.kernel.asked).toEqual([]);
    }),
    { numRuns: 150 },
  );
}, 120_000);

function checkEnd(story: Story, parameters: VirtualServerParameters): void {
  const handsOff = parameters.onDrift === "ignore";
  for (const address of parameters.services) {
    const name = serviceText(address);
    const there = new Map(
      story.kernel.table.get(name)?.destinations.map(({ settings }) => [settings.address, settings.weight]),
    );
    const usable = [...there].filter(([, weight]) => weight > 0).map(([each]) => each);
    const sorryAt = parameters.sorryServer?.address ?? "";
    const standing = usable.includes(sorryAt);
    for (const { address: each } of parameters.servers) {
      const n = Number(each.split(".").at(-1));
      const said = story.admin.filter((entry) => entry.address === each).map(({ what }) => what.type);
      const out = said.includes("drain") || said.includes("maintenance");
      const isUp = story.verdicts.get(n) === true;
      if (handsOff) continue;
      if (!isUp && !out && parameters.panicThreshold > 0) continue;
      if (!isUp || out) expect(there.get(each) ?? 0, `${name}: ${each} is out`).toBe(0);
      else if (!standing) expect(there.get(each) ?? 0, `${name}: ${each} is in`).toBeGreaterThan(0);
    }
    const takenOut = new Set(
      story.admin.filter(({ what }) => !what.type.startsWith("weight")).map((each) => each.address),
    );
    const upright = parameters.servers.filter(({ address: each }) => {
      return story.verdicts.get(Number(each.split(".").at(-1))) === true && !takenOut.has(each);
    });
    // Whoever is kept by the panic threshold does not keep it away.
    if (parameters.sorryServer !== undefined && upright.length === 0 && !handsOff)
      expect(standing, `${name}: it stands in for all`).toBe(true);
    // What others put in may stay; otherwise the sorry server takes nothing beside a server that does.
    const beside = standing ? usable.filter((each) => each !== sorryAt) : [];
    if (parameters.onDrift === "repair") expect(beside, `${name}: nobody stands beside it`).toEqual([]);
    if (parameters.sorryServer !== undefined && !handsOff) expect(usable, `${name}: somebody serves`).not.toEqual([]);
    const known = [sorryAt, ...parameters.servers.map((each) => each.address)];
    if (parameters.onDrift === "repair") expect([...there.keys()].filter((each) => !known.includes(each))).toEqual([]);
  }
}
