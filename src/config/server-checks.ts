/**
 * The checks of real servers: an inline check becomes a health check of its own, with a name made of what it asks.
 * Whoever asks the same of the same server in the same way shares one, so it is asked once.
 */

import type { z } from "zod";
import type { CheckParameters } from "../healthchecks/parameters.ts";
import type { ScriptDefaults } from "./check-schema.ts";
import { aimAt, type CheckTarget } from "./check-target.ts";
import { type CheckValues, type inlineCheck, resolveCheck, schemaOf } from "./health-check.ts";
import { adviceForCheck } from "./hints-lvs.ts";
import type { Path } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";
import { endpointText } from "./service-addresses.ts";
import { nearest } from "./suggest.ts";
import { type ProbeMarks, throughVip } from "./via-vip.ts";

type InlineValues = Loose<z.output<typeof inlineCheck>>;
type OneCheck = string | InlineValues | undefined;
/** As it is read: one, or a list of them. */
export type ChecksValue = OneCheck | readonly OneCheck[];

/** What the file says at one place, for as many servers as it holds. */
export interface CheckUse {
  readonly values: OneCheck;
  readonly at: Path;
  /** Of one family of servers the mistakes are the same: they are told once. */
  readonly told: Set<number>;
}

export function usesOf(value: ChecksValue, at: Path): CheckUse[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [{ values: value as OneCheck, at, told: new Set() }];
  return value.map((each: OneCheck, i) => ({ values: each, at: [...at, i], told: new Set() }));
}

export class ServerChecks {
  readonly #globals: ScriptDefaults;
  readonly #declared: ReadonlySet<string>;
  readonly #marks: ProbeMarks;
  readonly #report: Report;
  readonly #muted: Report;
  /** Name by what is asked, and how. */
  readonly #names = new Map<string, string>();
  readonly #taken = new Set<string>();
  readonly #made: CheckParameters[] = [];

  /** `names`: of the section health_check, those with mistakes included. */
  constructor(
    checks: readonly CheckParameters[],
    names: ReadonlySet<string>,
    rules: { readonly globals: ScriptDefaults; readonly marks: ProbeMarks },
    report: Report,
  ) {
    this.#globals = rules.globals;
    this.#marks = rules.marks;
    this.#declared = names;
    this.#report = report;
    this.#muted = report.muted();
    for (const check of checks) this.#names.set(identityOf(check), check.name);
  }

  /** In the order in which they came up. */
  get made(): readonly CheckParameters[] {
    return this.#made;
  }

  /** The names of the checks of one server, each once. */
  of(uses: readonly CheckUse[], target: CheckTarget): string[] {
    const names = uses.map((use) => (typeof use.values === "string" ? this.#named(use) : this.#inline(use, target)));
    return [...new Set(names.filter((name) => name !== undefined))];
  }

  #named({ values: name, at, told }: CheckUse): string | undefined {
    if (typeof name !== "string") return undefined;
    if (this.#declared.has(name)) return name;
    if (!told.has(0)) {
      const near = nearest(name, this.#declared);
      const meant = near === undefined ? (adviceForCheck(name) ?? "define it there") : `did you mean ${near}?`;
      const advice = schemaOf(name) === undefined ? meant : `write check: { type: ${name} }`;
      this.#report.error(at, `there is no health_check named ${name}: ${advice}`);
    }
    told.add(0);
    return undefined;
  }

  #inline({ values, at, told }: CheckUse, target: CheckTarget): string | undefined {
    if (values === undefined || typeof values === "string") return undefined;
    const family = target.address.includes(":") ? 6 : 4;
    const report = told.has(family) ? this.#muted : this.#report;
    told.add(family);
    const type = values.type as string | undefined;
    const schema = schemaOf(type);
    if (type === undefined || schema === undefined) return undefined;
    const aimed = aimAt(type, values, schema, target);
    if (aimed === "port") {
      // One that could not be read has its message.
      if (!report.isGiven([...at, "port"])) {
        report.error(at, "port is missing: the server has none of its own, so say which one is asked");
      }
      return undefined;
    }
    const plain = resolveCheck("", aimed as Loose<CheckValues>, at, this.#globals, report);
    const check =
      plain !== undefined && "via_vip" in values && values.via_vip === true
        ? throughVip(plain, values, { ...target, marks: this.#marks }, at, report)
        : plain;
    for (const word of check?.type === "script" ? unfilled(check.argv) : []) {
      report.warn(
        [...at, "script"],
        `${word} is passed on as it stands: filled in are {address}, {port} and {service}`,
      );
    }
    return (
      check && this.#share(check.type === "script" ? { ...check, environment: environmentOf(target) } : check, target)
    );
  }

  #share(check: CheckParameters, target: CheckTarget): string {
    const identity = identityOf(check);
    const known = this.#names.get(identity);
    if (known !== undefined) return known;
    const asked = nameOf(check, target);
    // Names do not depend on intervals: a check that is only asked more often keeps its state over a reload.
    let name = asked;
    for (let n = 1; this.#taken.has(name); n++) name = `${asked} (${target.virtualServer}${n === 1 ? "" : ` ${n}`})`;
    this.#taken.add(name);
    this.#names.set(identity, name);
    this.#made.push({ ...check, name });
    return name;
  }
}

/** What was meant to be filled in, and is passed on as it stands. */
function unfilled(argv: readonly string[]): ReadonlySet<string> {
  return new Set(argv.flatMap((word) => word.match(/\{[a-z_]+\}/g) ?? []));
}

function identityOf(check: CheckParameters): string {
  return JSON.stringify({ ...check, name: "" });
}

/** What a script knows of the server, besides what stands in its arguments. */
function environmentOf({ address, port }: CheckTarget): Readonly<Record<string, string>> {
  return { VIPRD_SERVER_ADDRESS: address, ...(port === undefined ? {} : { VIPRD_SERVER_PORT: String(port) }) };
}

/** "tcp 192.0.2.21:443". A name from the file never has a space. */
function nameOf(check: CheckParameters, target: CheckTarget): string {
  const server = endpointText(target.address, target.port);
  const via = "via" in check ? check.via : undefined;
  if (via === undefined) return askedOf(check, server).slice(0, 120);
  const page = check.type === "http" ? ` ${pageOf(check.url)}` : "";
  return `${check.type}${page} via ${endpointText(via.host, via.port)} to ${server}`.slice(0, 120);
}

function askedOf(check: CheckParameters, server: string): string {
  const { type } = check;
  switch (type) {
    case "http": {
      const { protocol, host, pathname, search } = new URL(check.url);
      const at = check.address === undefined || host.startsWith(check.address) ? "" : ` at ${check.address}`;
      return `${protocol.slice(0, -1)} ${host}${pathname}${search}${at}`;
    }
    case "file":
      return `file ${check.path}`;
    case "interface":
      return `interface ${check.interface}`;
    case "route":
      return `route ${check.destination}/${check.prefixLength}`;
    case "process":
      return `process ${"program" in check.wanted ? check.wanted.program : check.wanted.command.join(" ")}`;
    case "script":
      return `script ${lastPart(check.argv[0])} ${server}`;
    case "custom":
      return `custom ${lastPart(check.module)} ${server}`;
    default:
      return `${type} ${endpointText(check.host, "port" in check ? check.port : undefined)}`;
  }
}

/** As it is asked for, a name included. */
function pageOf(url: string): string {
  const { host, pathname, search } = new URL(url);
  return `${host}${pathname}${search}`;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
