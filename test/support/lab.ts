/**
 * A LAN in network namespaces for one test: nodes on bridges, a capture, routers of either implementation, faults.
 * Everything carries the pid of the test process and disappears with the test; what a crashed run left is swept first.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { setPriority, tmpdir } from "node:os";
import { afterAll, test } from "vitest";
import { Capture } from "./lab-capture.ts";
import { advertGaps, type Break, dualActives, takeoverStatistics } from "./lab-checks.ts";
import { Faults } from "./lab-faults.ts";
import { Hosts } from "./lab-hosts.ts";
import { Injector } from "./lab-injector.ts";
import { Keepalived } from "./lab-keepalived.ts";
import { Namespaces, removeLeftOvers, type Topology } from "./lab-namespaces.ts";
import { startMeter, worstSince } from "./lab-noise.ts";
import { run } from "./lab-process.ts";
import {
  type Implementation,
  keepalivedConfig,
  type RouterSpec,
  type RouterSpecs,
  usesViprd,
  viprdConfig,
} from "./lab-routers.ts";
import { mainFile, Viprd } from "./lab-viprd.ts";

export type Router = Viprd | Keepalived;

// What we see and do in time belongs to the measurement.
if (process.getuid?.() === 0) setPriority(-10);

export class Lab {
  readonly namespaces: Namespaces;
  readonly capture: Capture;
  readonly faults: Faults;
  readonly hosts: Hosts;
  readonly directory: string;
  readonly routers: Router[] = [];
  readonly breaks: Break[] = [];
  readonly #injectors = new Map<string, Injector>();
  readonly #before = new Map<string, Set<string>>();

  constructor(namespaces: Namespaces, capture: Capture, directory: string) {
    this.namespaces = namespaces;
    this.capture = capture;
    this.directory = directory;
    this.faults = new Faults(namespaces, capture, (node) => this.interrupted(node));
    this.hosts = new Hosts(namespaces, capture);
  }

  /** From now on until its next advert this node's silence is no failure. */
  interrupted(node: string): void {
    this.breaks.push({ node, at: Date.now() });
  }

  async viprd(node: string, config: string, through: readonly string[] = []): Promise<Viprd> {
    await this.#remember(node);
    const router = new Viprd(this.namespaces, node, this.directory, config, through);
    this.routers.push(router);
    return router;
  }

  async keepalived(node: string, conf: string): Promise<Keepalived> {
    const router = new Keepalived(this.namespaces, node, this.directory, conf);
    this.routers.push(router);
    return router;
  }

  /** One virtual router named "web", or several by name. */
  async router(node: string, implementation: Implementation, spec: RouterSpec | RouterSpecs): Promise<Router> {
    const specs = byName(spec);
    if (implementation === "viprd") return this.viprd(node, viprdConfig(specs));
    return this.keepalived(node, keepalivedConfig(specs));
  }

  reload(router: Router, spec: RouterSpec | RouterSpecs): void {
    const specs = byName(spec);
    router.reload(router instanceof Viprd ? viprdConfig(specs) : keepalivedConfig(specs));
  }

  /** SIGTERM, and wait for its end. Returns the moment of the signal. */
  async term(router: Router): Promise<number> {
    this.interrupted(router.node);
    return router.term();
  }

  /** SIGKILL to the daemon and all its children; host and addresses stay as they are. */
  async kill9(router: Router): Promise<number> {
    this.interrupted(router.node);
    return router.kill9All();
  }

  /** As if the power failed: every process dies and the cable is dead. */
  async killNode(node: string): Promise<number> {
    this.interrupted(node);
    const doomed = this.routers.filter((router) => router.node === node && !router.child.ended);
    for (const router of doomed) router.child.killTree();
    const at = Date.now();
    await this.faults.unplug(node);
    await Promise.all(doomed.map((router) => router.child.exited));
    return at;
  }

  /** Sends raw frames out of a node's interface. */
  async injector(node: string, interfaceName = "e0"): Promise<Injector> {
    const key = `${node}.${interfaceName}`;
    const known = this.#injectors.get(key);
    if (known !== undefined) return known;
    const injector = await Injector.open(this.namespaces, node, interfaceName);
    this.#injectors.set(key, injector);
    return injector;
  }

  async #remember(node: string): Promise<void> {
    if (!this.#before.has(node)) this.#before.set(node, await this.#belongings(node));
  }

  /** Addresses, links, routes, rules, nft rules and interface sysctls of a node, one text each. */
  async #belongings(node: string): Promise<Set<string>> {
    const script = [
      "ip -o addr | grep -v 'inet6 fe80::ff:fe00:' | sed -E 's/ valid_lft.*//; s/^[0-9]+: /address /'",
      "ip -o link | sed -E 's/^[0-9]+: ([^:@]+).*/link \\1/'",
      "ip rule | sed 's/^/rule /'; ip -6 rule | sed 's/^/rule6 /'",
      // What the kernel makes for addresses comes and goes with them.
      "for f in -4 -6; do ip $f -o route show table all | grep -v 'proto kernel' | sed 's/^/route /'; done",
      "nft list ruleset | sed 's/^/nft /'",
      "cd /proc/sys/net; grep -rs '' ipv4/conf ipv6/conf ipv4/ip_forward | grep -v stable_secret | sed 's/^/sysctl /'",
    ].join("; ");
    const text = await this.namespaces.shell(node, script);
    return new Set(text.split("\n").filter(Boolean));
  }

  /** C5: what a node of an ended viprd holds that it did not hold before. */
  async leftOvers(node: string): Promise<string[]> {
    const before = this.#before.get(node);
    if (before === undefined) return [];
    const now = await this.#belongings(node);
    // What came with an interface that the scenario plugged in later is not the router's doing.
    const added = [...now].filter((entry) => !before.has(entry));
    return added.filter((entry) => !/\b(e\d)\b/.test(entry) || before.has(`link ${/\b(e\d)\b/.exec(entry)?.[1]}`));
  }

  /** Stops all routers in order and says what they leave behind. */
  async stopRouters(): Promise<string[]> {
    const running = this.routers.filter((router) => !router.child.ended);
    for (const router of running) this.interrupted(router.node);
    await Promise.all(running.map((router) => router.child.stop()));
    const complaints: string[] = [];
    for (const router of running) {
      if (!(router instanceof Viprd)) continue;
      const { code } = await router.child.exited;
      if (code !== 0) complaints.push(`${router.child.name} ended with ${code} after SIGTERM`);
      for (const entry of await this.leftOvers(router.node)) complaints.push(`${router.node} is left with ${entry}`);
    }
    return complaints;
  }

  describe(): string {
    const logs = this.routers.map((router) => `--- ${router.child.name}\n${router.describe()}`);
    return `--- wire\n${this.capture.timeline()}\n${logs.join("\n")}`;
  }

  async close(): Promise<void> {
    for (const router of this.routers) router.child.killTree();
    for (const injector of this.#injectors.values()) injector.close();
    await this.hosts.close();
    await this.capture.close();
    await this.namespaces.remove();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function byName(spec: RouterSpec | RouterSpecs): RouterSpecs {
  return "priority" in spec && typeof spec.priority === "number" ? { web: spec as RouterSpec } : (spec as RouterSpecs);
}

export interface LabOptions {
  readonly topology: Topology;
  /** Two actives longer than the tolerance are part of the scenario. */
  readonly dual?: boolean;
  /** Check advert gaps of these nodes; default: those that run viprd. keepalived is silenced by foreign packets. */
  readonly gaps?: readonly string[];
  /** Do not check what is left after the stop. */
  readonly dirty?: boolean;
  readonly timeout?: number;
  /** Milliseconds: the smallest tolerance of the scenario; 50 by default. */
  readonly sensitivity?: number;
}

let swept: Promise<void> | undefined;

/**
 * A scenario that fails while the machine itself was late by a good part of the tolerance is tried again, at most twice,
 * and says so. A failure on a quiet machine stands.
 */
async function patiently(name: string, options: LabOptions, body: (lab: Lab) => Promise<void>): Promise<void> {
  startMeter();
  for (let attempt = 1; ; attempt++) {
    const from = Date.now();
    try {
      return await withLab(options, body);
    } catch (error) {
      const late = worstSince(from);
      if (attempt === 3 || late < (options.sensitivity ?? 50) / 2) throw error;
      const why = error instanceof Error ? error.message.split("\n", 2).join(" ") : String(error);
      console.warn(`AGAIN: ${name}: this machine was late by ${late.toFixed(0)} ms while it failed with: ${why}`);
    }
  }
}

async function withLab(options: LabOptions, body: (lab: Lab) => Promise<void>): Promise<void> {
  swept ??= removeLeftOvers();
  await swept;
  const namespaces = new Namespaces(options.topology);
  const directory = mkdtempSync(`${tmpdir()}/${namespaces.prefix}-`);
  let lab: Lab | undefined;
  try {
    await namespaces.create();
    lab = new Lab(namespaces, await Capture.open(namespaces), directory);
    await body(lab);
    const complaints = await lab.stopRouters();
    if (options.dual !== true) complaints.push(...dualActives(lab.capture));
    const own = lab.routers.filter((router) => router instanceof Viprd).map((router) => router.node);
    complaints.push(...advertGaps(lab.capture, lab.breaks, options.gaps ?? own));
    if (options.dirty === true) return;
    if (process.env.LAB_VERBOSE === "1") console.log(lab.describe());
    if (complaints.length > 0) throw new Error(`common checks:\n${complaints.slice(0, 20).join("\n")}`);
  } catch (error) {
    if (error instanceof Error && lab !== undefined) error.message += `\n${lab.describe()}`;
    throw error;
  } finally {
    if (lab !== undefined) await lab.close();
    else {
      await namespaces.remove();
      rmSync(directory, { recursive: true, force: true });
    }
  }
}

/** Why the lab cannot run here, or undefined. */
async function obstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "needs root";
  for (const tool of ["ip", "nsenter", "nft", "bridge", "tcpdump", "ping", "keepalived"]) {
    if ((await run("sh", ["-c", `command -v ${tool}`])).code !== 0) return `needs ${tool}: node scripts/lab-tools.mjs`;
  }
  const name = `vplab${process.pid}-probe`;
  const { code, stderr } = await run("ip", ["netns", "add", name]);
  await run("ip", ["netns", "del", name]);
  if (code !== 0) return `cannot create network namespaces: ${stderr.trim()}`;
  return existsSync(mainFile) || !usesViprd() ? undefined : "needs the built program: npm run build";
}

const required = process.env.CI === "true" || process.env.REQUIRE_LAB === "1";
const reason = await obstacle();
if (reason !== undefined && !required) console.warn(`SKIPPED: every scenario of this file: ${reason}`);

/** Registers a scenario. Without the means to run it is skipped loudly, or fails where the lab is required. */
export function scenario(name: string, options: LabOptions, body: (lab: Lab) => Promise<void>): void {
  const timeout = options.timeout ?? 90_000;
  if (reason === undefined) test.concurrent(name, { timeout: 3 * timeout }, () => patiently(name, options, body));
  else if (required) {
    test(name, () => {
      throw new Error(`the lab is required here, but ${reason}`);
    });
  } else test.skip(`${name} (${reason})`, () => undefined);
}

/** Ten minutes in full with LAB_LONG=1, otherwise the shortened time. */
export function soak(full: number, short: number): number {
  return process.env.LAB_LONG === "1" ? full : short;
}

/** LAB_REPEAT=n repeats timing scenarios n times, and tells how late the takeovers were. */
export const repeats = Math.max(1, Number(process.env.LAB_REPEAT ?? 1));
if (repeats > 1) afterAll(() => console.info(takeoverStatistics()));
