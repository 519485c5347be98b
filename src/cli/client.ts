/** Asks the daemon over its control socket. Every failure is a sentence that says what to do. */
import { type IncomingMessage, request } from "node:http";
import { ExitCode } from "./exit-code.ts";

export class ClientError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number, cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

const answerLimit = 5000;
/** Of those there are, for somebody who mistyped one. */
const mostNames = 20;
/** A status of thousands of instances fits; a daemon gone mad does not fill our memory. */
const maxAnswer = 64 * 1024 * 1024;

export function getJson(socketPath: string, path: string): Promise<unknown> {
  return readJson(ask(socketPath, path, {}));
}

export function postJson(socketPath: string, path: string, body: unknown): Promise<unknown> {
  return readJson(ask(socketPath, path, { "content-type": "application/json" }, JSON.stringify(body)));
}

async function readJson(asked: Promise<IncomingMessage>): Promise<unknown> {
  const response = await asked;
  const text = await readAll(response);
  const value: unknown = parseJson(text);
  if (response.statusCode === 200 && value !== undefined) return value;
  throw new ClientError(refusal(value, response.statusCode ?? 0), ExitCode.no);
}

/** The answer's body as it comes; the caller reads until it ends. */
export async function openStream(
  socketPath: string,
  path: string,
  headers: Record<string, string>,
): Promise<IncomingMessage> {
  const response = await ask(socketPath, path, headers);
  if (response.statusCode === 200) return response;
  throw new ClientError(refusal(parseJson(await readAll(response)), response.statusCode ?? 0), ExitCode.no);
}

/** With a body it is a POST, otherwise a GET. */
function ask(
  socketPath: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const asking = request({ socketPath, path, method, headers, agent: false });
    const timer = setTimeout(() => {
      asking.destroy(
        new ClientError(`the daemon at ${socketPath} did not answer within ${answerLimit / 1000} s`, ExitCode.no),
      );
    }, answerLimit);
    asking.on("response", (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    asking.on("error", (error) => {
      clearTimeout(timer);
      reject(error instanceof ClientError ? error : connectError(socketPath, error));
    });
    asking.end(body);
  });
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxAnswer) throw new ClientError("the daemon's answer is too long", ExitCode.no);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the status code tells what happened.
    return undefined;
  }
}

function refusal(value: unknown, statusCode: number): string {
  if (typeof value !== "object" || value === null || !("error" in value)) return `the daemon answered ${statusCode}`;
  const lists = ["instances", "virtual_servers"].map((key) => (value as Readonly<Record<string, unknown>>)[key]);
  const known = lists.filter((list) => Array.isArray(list));
  if (known.length === 0) return String(value.error);
  const names = [...new Set(known.flat())];
  const shown = `${names.slice(0, mostNames).join(", ")}${names.length > mostNames ? ` and ${names.length - mostNames} more` : ""}`;
  return `${value.error}; ${names.length === 0 ? "none is configured" : `there are: ${shown}`}`;
}

/** Why nobody could be asked, and what to do about it. */
export function connectError(socketPath: string, error: NodeJS.ErrnoException): ClientError {
  const [why, advice] = explain(error);
  return new ClientError(`no daemon at ${socketPath}: ${why}\n${advice}`, ExitCode.noDaemon, error);
}

function explain(error: NodeJS.ErrnoException): readonly [string, string] {
  switch (error.code) {
    case "ENOENT":
      return [
        "there is no such socket",
        "Start it with `viprd run` or `systemctl start viprd`, or name its --runtime-dir.",
      ];
    case "ECONNREFUSED":
      return ["nobody listens there", "It ended without cleaning up. Start it again; its log says why it ended."];
    case "EACCES":
    case "EPERM":
      return ["permission denied", "Ask as root, or as a member of the group viprd."];
    default:
      return [error.message, "Its log may say more."];
  }
}
