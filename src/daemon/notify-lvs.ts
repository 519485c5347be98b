/** Tells scripts, FIFOs and webhooks what becomes of virtual servers and of their servers. */
import type { Config } from "../config/config.ts";
import type { RealServerNotify, VirtualServerNotify } from "../config/lvs-notify.ts";
import type { CommandParameters } from "../config/notify.ts";
import type { VirtualServerParameters } from "../lvs/parameters.ts";
import type { LvsEvent } from "../lvs/status.ts";
import { type LvsNews, LvsSubjects, lvsDocument, lvsFifoLine, lvsKey } from "./notify-lvs-news.ts";
import type { NotifyScripts, ScriptRights } from "./notify-scripts.ts";
import type { NotifyWebhooks } from "./notify-webhooks.ts";

export interface NotifyLvsPorts {
  readonly scripts: Pick<NotifyScripts, "run">;
  readonly webhooks: Pick<NotifyWebhooks, "tell">;
  /** To the FIFOs that are told of the load balancer. */
  write(key: string, line: string): void;
}

interface Entry {
  readonly parameters: VirtualServerParameters;
  readonly notify: VirtualServerNotify | undefined;
  readonly servers: ReadonlyMap<string, RealServerNotify>;
}

export class NotifyLvs {
  readonly #ports: NotifyLvsPorts;
  readonly #subjects = new LvsSubjects();
  #entries = new Map<string, Entry>();
  #routerId = "";
  #rights: ScriptRights = { user: undefined, security: true };

  constructor(ports: NotifyLvsPorts) {
    this.#ports = ports;
  }

  configure({ global, lvs, lvsNotify = [] }: Config, rights: ScriptRights): void {
    const told = new Map(lvsNotify.map((each) => [each.virtualServer, each]));
    const virtualServers = lvs?.virtualServers ?? [];
    this.#routerId = global.routerId;
    this.#rights = rights;
    this.#entries = new Map(
      virtualServers.map((parameters) => {
        const notify = told.get(parameters.name);
        const servers = new Map(notify?.servers.map((server) => [server.name, server]));
        return [parameters.name, { parameters, notify, servers }];
      }),
    );
    this.#subjects.keep(virtualServers);
  }

  event(event: LvsEvent): void {
    const entry = event.virtual_server === undefined ? undefined : this.#entries.get(event.virtual_server);
    const news = entry === undefined ? undefined : this.#subjects.take(event);
    if (entry === undefined || news === undefined) return;
    this.#ports.write(lvsKey(news), lvsFifoLine(news, entry.parameters));
    if (entry.notify === undefined) return;
    const document = lvsDocument(news, this.#routerId, entry.parameters);
    this.#ports.scripts.run({
      kind: news.kind,
      name: news.name,
      state: news.state,
      commands: commandsFor(news, entry),
      document,
      rights: this.#rights,
    });
    this.#ports.webhooks.tell(entry.notify, document);
  }
}

function commandsFor(news: LvsNews, { notify, servers }: Entry) {
  const quorum = { up: notify?.quorumUp, down: notify?.quorumDown };
  const server = news.server === undefined ? undefined : servers.get(news.server);
  const command: CommandParameters | undefined = news.server === undefined ? quorum[news.state] : server?.[news.state];
  const key = news.server === undefined ? (`quorum_${news.state}` as const) : (`notify_${news.state}` as const);
  return command === undefined ? [] : [{ key, command, arguments: [] }];
}

/** Every command that may be run for the load balancer, once, however many servers share it. */
export function lvsCommands(lvsNotify: readonly VirtualServerNotify[] = []): CommandParameters[] {
  const all = lvsNotify.flatMap(({ quorumUp, quorumDown, servers }) => [
    quorumUp,
    quorumDown,
    ...servers.flatMap(({ up, down }) => [up, down]),
  ]);
  return [...new Set(all)].filter((command) => command !== undefined);
}
