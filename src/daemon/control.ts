/** The control interface: HTTP and JSON on a Unix socket. Whoever may open the socket may ask. */
import { chmodSync, chownSync, existsSync, readFileSync, unlinkSync } from "node:fs";
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { EventLog } from "./event-log.ts";
import { eventStream } from "./event-stream.ts";
import type { Maintenance } from "./maintenance.ts";
import { isAboutServer, readMaintenance } from "./maintenance-request.ts";
import type { ServerOrders } from "./server-orders.ts";
import { addServerRoutes, serverMaintenance } from "./server-routes.ts";
import { isAbout, type StatusDocument, type StatusScope } from "./status.ts";
import { NoAnswer } from "./status-requests.ts";

/** What the supervisor lets the control interface see. */
export interface ControlTarget {
  readonly events: EventLog;
  readonly stopping: AbortSignal;
  instanceNames(): readonly string[];
  virtualServerNames(): readonly string[];
  status(scope: StatusScope): Promise<StatusDocument>;
  readonly maintenance: Pick<Maintenance, "begin" | "end">;
  readonly orders: Pick<ServerOrders, "begin" | "end">;
  /** Undefined when every process that is needed runs; otherwise why not. */
  notReady(): string | undefined;
}

const longestRequest = 64 * 1024;
const limited = bodyLimit({
  maxSize: longestRequest,
  onError: (context) => context.json({ error: `longer than ${longestRequest} bytes` }, 413),
});

export function controlApp(target: ControlTarget): Hono {
  const app = new Hono();
  app.get("/v1/status", async (context) => {
    const scope = readScope(context.req.query(), target);
    return "error" in scope ? context.json(scope, 404) : context.json(await target.status(scope));
  });
  app.get("/v1/events", (context) => {
    const since = Number(context.req.header("Last-Event-ID") ?? context.req.query("since") ?? target.events.lastId);
    if (!Number.isInteger(since) || since < 0)
      return context.json({ error: "since: expected the id of an event" }, 400);
    return eventStream(target.events, since, target.stopping);
  });
  app.post("/v1/maintenance", limited, async (context) => {
    const names = target.instanceNames();
    const text = await context.req.text();
    if (isAboutServer(text)) return serverMaintenance(context, text, target.orders);
    const wanted = readMaintenance(text);
    if (typeof wanted === "string") return context.json({ error: wanted }, 400);
    const unknown = wanted.instances?.find((name) => !names.includes(name));
    if (unknown !== undefined)
      return context.json({ error: `no instance ${JSON.stringify(unknown)}`, instances: names }, 404);
    if (!wanted.on) {
      return context.json({ on: false, instances: target.maintenance.end(wanted.instances), until: null });
    }
    const { instances = names, reason = "no reason given", for_s } = wanted;
    if (instances.length === 0) {
      return context.json(
        { error: "no instance is configured; for a server of the load balancer, name it (--server)" },
        409,
      );
    }
    const duration = for_s === undefined ? undefined : for_s * 1000;
    target.maintenance.begin(instances, reason, duration);
    const until = duration === undefined ? null : new Date(Date.now() + duration).toISOString();
    return context.json({ on: true, instances, until });
  });
  for (const path of ["/v1/drain", "/v1/undrain", "/v1/weight"]) app.use(path, limited);
  addServerRoutes(app, target.orders);
  app.get("/healthz", (context) => context.text("ok\n"));
  app.get("/readyz", (context) => {
    const why = target.notReady();
    return why === undefined ? context.text("ready\n") : context.text(`${why}\n`, 503);
  });
  app.notFound((context) => context.json({ error: `nothing at ${context.req.method} ${context.req.path}` }, 404));
  app.onError((error, context) => {
    const status = error instanceof NoAnswer ? 504 : 500;
    return context.json({ error: error.message }, status);
  });
  return app;
}

/** What the status is asked about; `name` is an instance, a virtual server, or both. */
function readScope(
  { instance, virtual_server: virtualServer, name }: Readonly<Record<string, string>>,
  target: ControlTarget,
): StatusScope | { readonly error: string; readonly [names: string]: string | readonly string[] } {
  const instances = target.instanceNames();
  const virtualServers = target.virtualServerNames();
  if (instance !== undefined && !instances.includes(instance)) {
    return { error: `no instance ${JSON.stringify(instance)}`, instances };
  }
  if (virtualServer !== undefined && !virtualServers.includes(virtualServer)) {
    return { error: `no virtual server ${JSON.stringify(virtualServer)}`, virtual_servers: virtualServers };
  }
  const named = {
    ...(name !== undefined && instances.includes(name) ? { instance: name } : {}),
    ...(name !== undefined && virtualServers.includes(name) ? { virtualServer: name } : {}),
  };
  if (name !== undefined && !isAbout(named)) {
    const what = virtualServers.length === 0 ? "no instance" : "no instance and no virtual server";
    return { error: `${what} ${JSON.stringify(name)}`, instances, virtual_servers: virtualServers };
  }
  return {
    ...(instance === undefined ? {} : { instance }),
    ...(virtualServer === undefined ? {} : { virtualServer }),
    ...named,
  };
}

export interface Control {
  /** Answers under way are finished, if they are quick. */
  close(): Promise<void>;
}

const closeLimit = 200;

/** Listens at `path`; a socket file left there by a dead daemon is replaced (the caller holds the lock). */
export function openControl(path: string, target: ControlTarget): Promise<Control> {
  const server = createAdaptorServer({ fetch: controlApp(target).fetch }) as Server;
  // A client that sends nothing, or slowly, is cut off; an event stream may stay for ever.
  server.headersTimeout = 5000;
  server.requestTimeout = 5000;
  server.maxConnections = 64;
  removeSocket(path);
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    // The socket has its mode from its first moment: bind happens within listen.
    const mask = process.umask(0o117);
    server.listen(path, () => {
      try {
        giveToGroup(path);
      } catch (error) {
        reject(error);
      }
      resolve({ close: () => close(server, path) });
    });
    process.umask(mask);
  });
}

function close(server: Server, path: string): Promise<void> {
  return new Promise((resolve) => {
    removeSocket(path);
    const timer = setTimeout(() => server.closeAllConnections(), closeLimit);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

/** Members of the group viprd may ask too, where there is such a group and we may give the file away. */
function giveToGroup(path: string): void {
  chmodSync(path, 0o660);
  const group = existsSync("/etc/group") ? groupId(readFileSync("/etc/group", "utf8"), "viprd") : undefined;
  if (group !== undefined && process.getuid?.() === 0) chownSync(path, 0, group);
}

export function groupId(groups: string, name: string): number | undefined {
  const line = groups.split("\n").find((text) => text.startsWith(`${name}:`));
  const id = line?.split(":")[2] ?? "";
  return /^\d+$/.test(id) ? Number(id) : undefined;
}
