/**
 * Tells scripts, FIFOs and webhooks what became of instances and groups, and of virtual servers and their servers. It gets
 * what the other processes report and never keeps them waiting: whoever is told, the failover is over by then.
 */
import type { Config } from "../config/config.ts";
import type { FifoParameters, NotifySubject } from "../config/notify.ts";
import type { LvsEvent } from "../lvs/status.ts";
import type { Milliseconds } from "../vrrp/parameters.ts";
import type { InstanceEvent, TransitionStatus, VrrpEvent } from "../vrrp/status.ts";
import type { Log } from "./log.ts";
import { NotifyFifo } from "./notify-fifo.ts";
import { NotifyLvs } from "./notify-lvs.ts";
import { type Background, fifoLine, type News, newsDocument } from "./notify-news.ts";
import { NotifyScripts, type ScriptRights } from "./notify-scripts.ts";
import type { NotifyStatus } from "./notify-status.ts";
import { keyOf, NotifySubjects, type SubjectKey } from "./notify-subjects.ts";
import { NotifyWebhooks } from "./notify-webhooks.ts";

export interface NotifyOptions {
  readonly log: Log;
  readonly version: string;
}

/** An instance or a group as the configuration has it, and everything that is needed to tell about it. */
interface Entry extends SubjectKey {
  readonly subject: NotifySubject | undefined;
  readonly background: Background;
  readonly rights: ScriptRights;
  /** The configured one. */
  readonly priority: number;
}

export class Notify {
  readonly #log: Log;
  readonly #subjects = new NotifySubjects();
  readonly #scripts: NotifyScripts;
  readonly #webhooks: NotifyWebhooks;
  readonly #lvs: NotifyLvs;
  #fifos: readonly { readonly fifo: NotifyFifo; readonly of: FifoParameters["of"] }[] = [];
  /** Instances first: a group is told after its members. */
  #entries = new Map<string, Entry>();
  /** Groups by their members. */
  #groupOf = new Map<string, Entry>();
  /** Removed from the configuration, and still running: they are told to have stopped when they have. */
  readonly #leaving = new Map<string, Entry>();

  constructor({ log, version }: NotifyOptions) {
    this.#log = log;
    this.#scripts = new NotifyScripts(log);
    this.#webhooks = new NotifyWebhooks({ log, userAgent: `viprd/${version}` });
    this.#lvs = new NotifyLvs({
      scripts: this.#scripts,
      webhooks: this.#webhooks,
      write: (key, line) => this.#write("lvs", key, line),
    });
  }

  /** Takes over a configuration, before the VRRP process does. Returns what will not work as things are. */
  configure(config: Config): string[] {
    const { subjects = [], fifos = [] } = config.notify ?? {};
    this.#openFifos(fifos);
    this.#webhooks.configure([...subjects, ...(config.lvsNotify ?? [])]);
    this.#lvs.configure(config, rightsOf(config));
    const before = this.#entries;
    const entries = entriesOf(config);
    this.#entries = new Map(entries.map((entry) => [keyOf(entry), entry]));
    this.#groupOf = new Map(entries.flatMap((entry) => entry.background.members?.map((name) => [name, entry]) ?? []));
    for (const [key, entry] of before) if (!this.#entries.has(key)) this.#leave(key, entry);
    return this.#scripts.configure(subjects, config.lvsNotify ?? [], rightsOf(config));
  }

  /** Of the load balancer. */
  lvs(event: LvsEvent): void {
    this.#lvs.event(event);
  }

  event(event: VrrpEvent): void {
    if (event.type === "group_transition") this.#groupEvent(event.group, event);
    else if (event.type === "transition" || event.type === "warning") this.#instanceEvent(event);
  }

  /** No more events come from those that were removed. */
  vrrpEnded(why: string): void {
    for (const entry of this.#leaving.values()) this.#end(entry, why);
    this.#leaving.clear();
  }

  /** Tells the end of whatever runs, and waits until that is told, but not longer than `limit`. */
  async stop(why: string, limit: Milliseconds): Promise<void> {
    this.vrrpEnded(why);
    for (const entry of this.#entries.values()) this.#end(entry, why);
    await Promise.all([this.#scripts.stop(limit), this.#webhooks.stop(limit)]);
    for (const { fifo } of this.#fifos) fifo.close();
  }

  status(): NotifyStatus {
    return {
      subjects: this.#scripts.status(),
      fifos: this.#fifos.map(({ fifo }) => fifo.status()),
      webhooks: this.#webhooks.status(),
    };
  }

  #instanceEvent(event: InstanceEvent): void {
    const subject = { kind: "instance", name: event.instance } as const;
    const key = keyOf(subject);
    const ended = event.type === "transition" && event.ended === true;
    const entry = (ended ? this.#leaving.get(key) : undefined) ?? this.#entries.get(key);
    // The last words of one that was removed say nothing that its end does not.
    if (entry === undefined) return;
    const news = this.#subjects.instance(event, entry.priority);
    this.#deliver(news, entry);
    if (ended && this.#leaving.delete(key) && !this.#entries.has(key)) this.#subjects.forget(subject);
    const group = this.#groupOf.get(event.instance);
    if (group !== undefined && news !== undefined && event.type === "warning") {
      this.#deliver(this.#subjects.groupBlocked(group.name, news), group);
    }
  }

  #groupEvent(name: string, transition: TransitionStatus): void {
    const entry = this.#entries.get(keyOf({ kind: "group", name }));
    if (entry === undefined) return;
    this.#deliver(this.#subjects.group(name, transition, entry.background.members ?? []), entry);
  }

  /** A group is nothing but its members: there is no end of its own to wait for. */
  #leave(key: string, entry: Entry): void {
    if (entry.kind === "instance" && this.#subjects.runs(entry)) {
      this.#leaving.set(key, entry);
      return;
    }
    this.#end(entry, "removed from the configuration");
    this.#subjects.forget(entry);
  }

  #end(entry: Entry, why: string): void {
    const { kind, name } = entry;
    this.#deliver(this.#subjects.end({ kind, name }, why, new Date().toISOString()), entry);
  }

  #deliver(news: News | undefined, { subject, background, rights }: Entry): void {
    if (news === undefined) return;
    this.#write("vrrp", keyOf(news), fifoLine(news));
    if (subject === undefined) return;
    this.#scripts.tell(news, subject, background, rights);
    this.#webhooks.tell(subject, newsDocument(news, background));
  }

  #write(about: "vrrp" | "lvs", key: string, line: string): void {
    for (const { fifo, of } of this.#fifos) if (of === "all" || of === about) fifo.write(key, line);
  }

  /** One that stays keeps its readers. */
  #openFifos(wanted: readonly FifoParameters[]): void {
    const open = new Map(this.#fifos.map(({ fifo }) => [fifo.path, fifo]));
    const paths = new Set(wanted.map(({ path }) => path));
    for (const [path, fifo] of open) if (!paths.has(path)) fifo.close();
    this.#fifos = wanted.map(({ path, of }) => ({ fifo: open.get(path) ?? new NotifyFifo(path, this.#log), of }));
  }
}

function entriesOf(config: Config): Entry[] {
  const { routerId } = config.global;
  const rights = rightsOf(config);
  const subjects = new Map(config.notify?.subjects.map((subject) => [keyOf(subject), subject]));
  const entry = (subject: SubjectKey, priority: number, background: Omit<Background, "routerId">): Entry => {
    return {
      ...subject,
      subject: subjects.get(keyOf(subject)),
      background: { routerId, ...background },
      rights,
      priority,
    };
  };
  return [
    ...config.instances.map(({ name, priority, vrid, interface: device, virtualAddresses, excludedAddresses }) => {
      const addresses = [...virtualAddresses, ...excludedAddresses].map(
        (each) => `${each.address}/${each.prefixLength}`,
      );
      return entry({ kind: "instance", name }, priority, { instance: { interface: device, vrid, addresses } });
    }),
    ...(config.groups ?? []).map(({ name, members }) => entry({ kind: "group", name }, 0, { members })),
  ];
}

function rightsOf({ global }: Config): ScriptRights {
  return { user: global.scriptUser, security: global.scriptSecurity };
}
