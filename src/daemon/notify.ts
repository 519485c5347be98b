/**
 * Tells scripts, FIFOs and webhooks what became of instances and groups. It gets what the VRRP process reports and never
 * keeps that process waiting: whoever is told, the failover is over by then.
 */
import type { Config } from "../config/config.ts";
import type { NotifySubject } from "../config/notify.ts";
import type { InstanceParameters, Milliseconds } from "../vrrp/parameters.ts";
import type { VrrpEvent } from "../vrrp/status.ts";
import type { Log } from "./log.ts";
import { NotifyFifo } from "./notify-fifo.ts";
import { type Background, fifoLine, type News, newsDocument } from "./notify-news.ts";
import { keyOf, NotifyScripts, type ScriptRights } from "./notify-scripts.ts";
import type { NotifyStatus } from "./notify-status.ts";
import { NotifySubjects } from "./notify-subjects.ts";
import { NotifyWebhooks } from "./notify-webhooks.ts";

export interface NotifyOptions {
  readonly log: Log;
  readonly version: string;
}

/** An instance as the configuration has it, and everything that is needed to tell about it. */
interface Entry {
  readonly subject: NotifySubject | undefined;
  readonly background: Background;
  readonly rights: ScriptRights;
  readonly priority: number;
}

export class Notify {
  readonly #log: Log;
  readonly #subjects = new NotifySubjects();
  readonly #scripts: NotifyScripts;
  readonly #webhooks: NotifyWebhooks;
  #fifos: readonly NotifyFifo[] = [];
  #entries = new Map<string, Entry>();
  /** Removed from the configuration, and still running: they are told to have stopped when they have. */
  readonly #leaving = new Map<string, Entry>();

  constructor({ log, version }: NotifyOptions) {
    this.#log = log;
    this.#scripts = new NotifyScripts(log);
    this.#webhooks = new NotifyWebhooks({ log, userAgent: `viprd/${version}` });
  }

  /** Takes over a configuration, before the VRRP process does. Returns what will not work as things are. */
  configure(config: Config): string[] {
    const { subjects = [], fifos = [] } = config.notify ?? {};
    this.#openFifos(fifos);
    this.#webhooks.configure(subjects);
    const before = this.#entries;
    const byName = new Map(subjects.map((subject) => [keyOf(subject), subject]));
    const entries = config.instances.map((instance): [string, Entry] => {
      const subject = byName.get(keyOf({ kind: "instance", name: instance.name }));
      return [instance.name, entryOf(instance, subject, config)];
    });
    this.#entries = new Map(entries);
    for (const [name, entry] of before) if (!this.#entries.has(name)) this.#leave(name, entry);
    return this.#scripts.configure(subjects, rightsOf(config));
  }

  event(event: VrrpEvent): void {
    if (event.type !== "transition" && event.type !== "warning") return;
    const { instance } = event;
    const ended = event.type === "transition" && event.ended === true;
    const entry = (ended ? this.#leaving.get(instance) : undefined) ?? this.#entries.get(instance);
    // The last words of one that was removed say nothing that its end does not.
    if (entry === undefined) return;
    this.#deliver(this.#subjects.take(event, entry.priority), entry);
    if (ended && this.#leaving.delete(instance) && !this.#entries.has(instance)) this.#subjects.forget(instance);
  }

  /** No more events come from those that were removed. */
  vrrpEnded(why: string): void {
    for (const [name, entry] of this.#leaving) this.#end(name, entry, why);
    this.#leaving.clear();
  }

  /** Tells the end of whatever runs, and waits until that is told, but not longer than `limit`. */
  async stop(why: string, limit: Milliseconds): Promise<void> {
    this.vrrpEnded(why);
    for (const [name, entry] of this.#entries) this.#end(name, entry, why);
    await Promise.all([this.#scripts.stop(limit), this.#webhooks.stop(limit)]);
    for (const fifo of this.#fifos) fifo.close();
  }

  status(): NotifyStatus {
    return {
      subjects: this.#scripts.status(),
      fifos: this.#fifos.map((fifo) => fifo.status()),
      webhooks: this.#webhooks.status(),
    };
  }

  #leave(name: string, entry: Entry): void {
    if (this.#subjects.runs(name)) {
      this.#leaving.set(name, entry);
      return;
    }
    this.#end(name, entry, "removed from the configuration");
    this.#subjects.forget(name);
  }

  #end(name: string, entry: Entry, why: string): void {
    this.#deliver(this.#subjects.end(name, why, new Date().toISOString()), entry);
  }

  #deliver(news: News | undefined, { subject, background, rights }: Entry): void {
    if (news === undefined) return;
    const line = fifoLine(news);
    for (const fifo of this.#fifos) fifo.write(keyOf(news), line);
    if (subject === undefined) return;
    this.#scripts.tell(news, subject, background, rights);
    this.#webhooks.tell(subject, newsDocument(news, background));
  }

  /** One that stays keeps its readers. */
  #openFifos(paths: readonly string[]): void {
    const open = new Map(this.#fifos.map((fifo) => [fifo.path, fifo]));
    for (const [path, fifo] of open) if (!paths.includes(path)) fifo.close();
    this.#fifos = paths.map((path) => open.get(path) ?? new NotifyFifo(path, this.#log));
  }
}

function entryOf(instance: InstanceParameters, subject: NotifySubject | undefined, config: Config): Entry {
  const { vrid, priority, virtualAddresses, excludedAddresses } = instance;
  const addresses = [...virtualAddresses, ...excludedAddresses].map((each) => `${each.address}/${each.prefixLength}`);
  return {
    subject,
    background: { routerId: config.global.routerId, instance: { interface: instance.interface, vrid, addresses } },
    rights: rightsOf(config),
    priority,
  };
}

function rightsOf({ global }: Config): ScriptRights {
  return { user: global.scriptUser, security: global.scriptSecurity };
}
