/**
 * What happens is told in every place where people and programs look for it: the log, the list of events, systemd's one
 * line, and scripts, FIFOs and webhooks.
 */
import type { Config } from "../config/config.ts";
import { describeAdvice, sameAdvice } from "../healthchecks/advice.ts";
import type { Verdict } from "../healthchecks/health.ts";
import { stateOf } from "../healthchecks/status.ts";
import type { LvsEvent } from "../lvs/status.ts";
import type { StateName, VrrpEvent } from "../vrrp/status.ts";
import { EventLog } from "./event-log.ts";
import { limitedLog } from "./limited-log.ts";
import type { Log } from "./log.ts";
import { logEvent } from "./log-event.ts";
import { logLvsEvent } from "./log-lvs-event.ts";
import { Notify } from "./notify.ts";
import { Roles } from "./roles.ts";
import type { NamedVerdict } from "./verdicts.ts";

/** After a warning. */
const allWell = "nothing to warn of any more";

export interface RoleListeners {
  /** Which instances are active and which backup, in one line. */
  roles(text: string): void;
  instance(name: string, state: StateName): void;
}

export class Bulletin {
  readonly events = new EventLog();
  readonly notify: Notify;
  /** Of what others make us say. */
  readonly childLog: Log;
  readonly #log: Log;
  readonly #roles = new Roles();
  readonly #listeners: RoleListeners;

  constructor(log: Log, version: string, listeners: RoleListeners) {
    this.#log = log;
    this.#listeners = listeners;
    this.childLog = limitedLog(log);
    this.notify = new Notify({ log: this.childLog, version });
  }

  /** Before the VRRP process is told. */
  adopt(config: Config): void {
    const groups = config.groups ?? [];
    this.#roles.keep(new Set(config.instances.map(({ name }) => name)), new Set(groups.map(({ name }) => name)));
    for (const warning of this.notify.configure(config)) this.#log.warn(warning);
  }

  vrrp(event: VrrpEvent): void {
    // Every transition has its line, however many there are.
    logEvent(event.type === "transition" ? this.#log : this.childLog, event);
    this.events.append(event);
    if (this.#roles.take(event)) this.#listeners.roles(this.#roles.describe());
    if (event.type === "transition") this.#listeners.instance(event.instance, event.to);
    this.notify.event(event);
  }

  /** What the load balancer did or found. */
  lvs(event: LvsEvent): void {
    logLvsEvent(this.childLog, event);
    this.events.append(event);
    this.notify.lvs(event);
  }

  /** The state of each instance that told one. */
  instances(): Iterable<readonly [name: string, state: StateName]> {
    return this.#roles.states();
  }

  /** What it did not live to tell itself: nothing is active or backup without it. */
  vrrpDied(why: string): void {
    const message = `the vrrp process ${why}`;
    this.daemon("process", message);
    const at = new Date().toISOString();
    for (const event of this.#roles.lost(message, at)) this.vrrp(event);
    this.notify.vrrpEnded(message);
  }

  check({ check, up, reason, advice, warning }: NamedVerdict, before: Verdict): void {
    if (warning !== before.warning) this.#checkTold(check, warning === undefined ? "info" : "warn", warning ?? allWell);
    if (!sameAdvice(advice, before.advice)) this.#checkTold(check, "info", `advises ${describeAdvice(advice)}`);
    if (up === before.up) return;
    const [from, to] = [stateOf(before.up), stateOf(up)];
    const message = `${check} ${from} → ${to}: ${reason}`;
    this.childLog[up === false ? "warn" : "info"](`check ${message}`, { check });
    this.events.append({ at: new Date().toISOString(), type: "check", check, from, to, reason, message });
  }

  #checkTold(check: string, level: "info" | "warn", what: string): void {
    const message = `${check}: ${what}`;
    this.childLog[level](`check ${message}`, { check });
    this.events.append({ at: new Date().toISOString(), type: "check_notice", check, message });
  }

  daemon(type: "reload" | "process" | "operator", message: string): void {
    this.events.append({ at: new Date().toISOString(), type, message });
  }
}
