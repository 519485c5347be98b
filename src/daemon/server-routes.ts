/** The routes of the control interface that are about servers. */
import type { IncomingMessage } from "node:http";
import type { Context, Hono } from "hono";
import { askerOf } from "./asker.ts";
import type { OrderAnswer, ServerOrders } from "./server-orders.ts";
import { readDrain, readServerMaintenance, readUndrain, readWeight } from "./server-request.ts";

type Answer = OrderAnswer | string;

export function addServerRoutes(app: Hono, orders: Pick<ServerOrders, "begin" | "end">): void {
  app.post("/v1/drain", async (context) => {
    const wanted = readDrain(await context.req.text());
    return reply(context, typeof wanted === "string" ? wanted : orders.begin(wanted, asker(context)));
  });
  app.post("/v1/undrain", async (context) => {
    const wanted = readUndrain(await context.req.text());
    return reply(context, typeof wanted === "string" ? wanted : orders.end("drain", wanted, asker(context)));
  });
  app.post("/v1/weight", async (context) => {
    const wanted = readWeight(await context.req.text());
    if (typeof wanted === "string") return reply(context, wanted);
    const by = asker(context);
    return reply(context, "reset" in wanted ? orders.end("weight", wanted, by) : orders.begin(wanted, by));
  });
}

/** POST /v1/maintenance with a server in its body. */
export function serverMaintenance(
  context: Context,
  text: string,
  orders: Pick<ServerOrders, "begin" | "end">,
): Response {
  const wanted = readServerMaintenance(text);
  if (typeof wanted === "string") return reply(context, wanted);
  const by = asker(context);
  return reply(context, wanted.on ? orders.begin(wanted, by) : orders.end("maintenance", wanted, by));
}

function reply(context: Context, answer: Answer): Response {
  if (typeof answer === "string") return context.json({ error: answer }, 400);
  return "refusal" in answer ? context.json({ error: answer.refusal }, answer.status) : context.json(answer);
}

function asker(context: Context): string {
  const { incoming } = (context.env ?? {}) as { readonly incoming?: IncomingMessage };
  return askerOf(incoming?.socket);
}
