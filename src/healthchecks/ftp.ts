/** `type: ftp`: a file server greets, lets a user in and hands out a file, as far as that is wanted. RFC 959, 2428, 4217. */
import { matches } from "./bounded-match.ts";
import type { CheckType } from "./check-type.ts";
import { Conversation, converse } from "./conversation.ts";
import { type Credentials, readPassword } from "./credentials.ts";
import { expectReply, readReply } from "./reply.ts";
import { overTls, type Service, secureFirst } from "./service.ts";

export interface FtpParameters extends Service {
  readonly type: "ftp";
  readonly login?: Credentials;
  /** A file that is fetched. Only with a login. */
  readonly retrieve?: string;
  /** Text that it must contain. */
  readonly body?: string;
  /** Regular expression that it must match. */
  readonly bodyRegex?: string;
}

/** Of a file so many bytes are read and looked at. */
export const longestFile = 128 * 1024;

export const ftp: CheckType<FtpParameters> = {
  probe(parameters, signal) {
    return converse("ftp", parameters, signal, async (peer) => {
      const { tls, login, retrieve } = parameters;
      await secureFirst(peer, parameters);
      peer.step = "greeting";
      let greeting = await expectReply(peer, 120, 220);
      // "Ready in some minutes": the server says so and goes on when it is.
      if (greeting.code === 120) greeting = await expectReply(peer, 220);
      if (tls?.mode === "starttls") {
        await command(peer, "AUTH TLS", 234);
        await peer.startTls(tls);
      }
      if (login !== undefined) await logIn(peer, login);
      const size = retrieve === undefined ? undefined : await fetchFile(peer, parameters, retrieve, signal);
      peer.goodbye("QUIT\r\n");
      const did = login === undefined ? "" : ", logged in";
      const got = size === undefined ? "" : `, ${peer.quote(retrieve ?? "")} has ${size} bytes`;
      return `greeted with ${peer.quote(`220 ${greeting.lines[0]}`)}${did}${got}${overTls(peer)}`;
    });
  },
};

async function logIn(peer: Conversation, { user, password }: Credentials): Promise<void> {
  peer.step = "PASS";
  const secret = await readPassword(password);
  peer.conceal(secret);
  const { code } = await command(peer, `USER ${user}`, 230, 331);
  if (code === 331) await command(peer, `PASS ${secret}`, 230, 202);
}

/** Over a connection that the server waits for: the one that it would open itself seldom gets through. */
async function fetchFile(
  peer: Conversation,
  parameters: FtpParameters,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const { tls } = parameters;
  if (tls !== undefined) {
    await command(peer, "PBSZ 0", 200);
    await command(peer, "PROT P", 200);
  }
  await command(peer, "TYPE I", 200);
  const port = await passivePort(peer);
  const data = new Conversation({ ...parameters, port }, signal);
  try {
    await data.opened();
    data.step = "data";
    peer.step = "RETR";
    peer.send(`RETR ${path}\r\n`);
    await expectReply(peer, 125, 150);
    // Servers want the session of the other connection, as a sign that it is the same client.
    if (tls !== undefined) await data.startTls(tls, { session: peer.session });
    const content = await readFile(data);
    if (content.length < longestFile) data.finish();
    if (content.length < longestFile) await expectReply(peer, 226, 250);
    judge(peer, parameters, content);
    return content.length < longestFile ? String(content.length) : `at least ${content.length}`;
  } catch (error) {
    if (data.step !== "TLS" && data.step !== "connect") throw error;
    throw new Error(`data connection to port ${port}: ${error instanceof Error ? error.message : error}`);
  } finally {
    data.close();
  }
}

async function readFile(data: Conversation): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let length = 0; length < longestFile; ) {
    const chunk = await data.some();
    if (chunk.length === 0) break;
    chunks.push(chunk);
    length += chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, longestFile);
}

function judge(peer: Conversation, { host, retrieve = "", body, bodyRegex }: FtpParameters, content: Buffer): void {
  const text = content.toString("utf8");
  peer.step = retrieve;
  if (body !== undefined && !text.includes(body)) {
    throw new Error(`does not contain ${JSON.stringify(body)}: ${peer.quote(text)}`);
  }
  if (bodyRegex !== undefined && !matches(bodyRegex, "s", text, `${host} ${retrieve}`)) {
    throw new Error(`does not match ${bodyRegex}: ${peer.quote(text)}`);
  }
}

/** Of the reply only the port counts: the address in it is often one behind a translation, and nobody else's is wanted. */
async function passivePort(peer: Conversation): Promise<number> {
  peer.step = "EPSV";
  peer.send("EPSV\r\n");
  const extended = await readReply(peer);
  const text = extended.lines.join(" ");
  if (extended.code === 229) return checkPort(peer, text, Number(/\((.)\1\1(\d{1,5})\1\)/.exec(text)?.[2]));
  const plain = await command(peer, "PASV", 227);
  const numbers = /(?:\d{1,3},){4}(\d{1,3}),(\d{1,3})/.exec(plain.lines.join(" "));
  return checkPort(peer, plain.lines.join(" "), Number(numbers?.[1]) * 256 + Number(numbers?.[2]));
}

function checkPort(peer: Conversation, text: string, port: number): number {
  if (port > 0 && port < 65_536) return port;
  throw new Error(`no port in ${peer.quote(text)}`);
}

function command(peer: Conversation, line: string, ...codes: readonly number[]) {
  peer.step = line.split(" ", 1)[0] ?? "";
  peer.send(`${line}\r\n`);
  return expectReply(peer, ...codes);
}
