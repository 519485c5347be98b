/** What the commands about servers share: options, asking the daemon, telling what came of it. */
import { InvalidArgumentError } from "commander";
import { parseDuration } from "../config/duration.ts";
import type { OrderAnswer } from "../daemon/server-orders.ts";
import { ClientError, postJson } from "./client.ts";

export type Ordered = Extract<OrderAnswer, { readonly servers: unknown }>;

export interface AboutServer {
  readonly server: string;
  readonly service?: string;
}

export interface BeginFlags {
  readonly reason?: string;
  readonly for?: number;
  readonly force?: true;
}

export const serverArgument = "ADDRESS, ADDRESS:PORT or [IPV6]:PORT; without a port, all of that address";

export function duration(text: string): number {
  const value = parseDuration(text);
  if (value === undefined || value < 1000)
    throw new InvalidArgumentError("expected a duration from 1s on, like 10m or 2h");
  return value;
}

export function beginBody({ reason, for: time, force }: BeginFlags): Readonly<Record<string, unknown>> {
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(time === undefined ? {} : { for_s: time / 1000 }),
    ...(force === undefined ? {} : { force }),
  };
}

export async function order(
  socket: string,
  path: string,
  { server, service }: AboutServer,
  rest: Readonly<Record<string, unknown>> = {},
): Promise<Ordered> {
  return (await postJson(socket, path, { server, ...(service === undefined ? {} : { service }), ...rest })) as Ordered;
}

/** What can be taken back. */
type Ended = "drain" | "maintenance" | "weight";

const withoutOrder: Readonly<Record<Ended, string>> = {
  drain: "it is not drained",
  maintenance: "it is not in maintenance",
  weight: "it has the weight of the file",
};

/** "192.0.2.21:443 of https: drain until 2026-01-01T00:00:00.000Z"; `ended` is what was taken back. */
export function describeOrder({ servers, what, until, notes }: Ordered, ended: Ended): string {
  if (servers.length === 0 && notes.length === 0) return `${withoutOrder[ended]}: nothing to take back\n`;
  const end = until === null ? "" : ` until ${until}`;
  const said = what ?? `${ended} taken back`;
  const lines = servers.map(({ virtual_server: name, server }) => `${server} of ${name}: ${said}${end}\n`);
  return [...lines, ...notes.map((note) => `note: ${note}\n`)].join("");
}

/** Runs what asks the daemon; what goes wrong is told, and decides the exit code. */
export async function telling(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
}

export function print(json: true | undefined, answer: object, text: string): void {
  process.stdout.write(json === true ? `${JSON.stringify(answer, null, 2)}\n` : text);
}
