/**
 * `type: agent`: a program on the server says how much of the load it wants, in the words of HAProxy's agents. One that
 * cannot be asked says nothing about the server: what it said last stays.
 */
import { describeAdvice } from "./advice.ts";
import { type AgentReply, readAgentReply } from "./agent-words.ts";
import type { CheckType, Outcome } from "./check-type.ts";
import { type Conversation, converse, type Endpoint } from "./conversation.ts";

export interface AgentParameters extends Endpoint {
  readonly type: "agent";
  /** Sent first; hexadecimal. */
  readonly send?: string;
}

/** Of the line that it says. */
const longestLine = 1024;

export const agent: CheckType<AgentParameters> = {
  async probe(parameters, signal) {
    let reply: AgentReply | undefined;
    const outcome = await converse("agent", parameters, signal, async (peer) => {
      if (parameters.send !== undefined) peer.send(Buffer.from(parameters.send, "hex"));
      peer.step = "answer";
      const line = await firstLine(peer);
      reply = readAgentReply(line);
      if (!saysSomething(reply)) throw new Error(`${peer.quote(line)} has no word of an agent`);
      return `says ${peer.quote(line)}`;
    });
    return reply === undefined || !outcome.ok ? { ...outcome, ok: false, undecided: true } : judge(outcome, reply);
  },
};

function saysSomething({ up, advice }: AgentReply): boolean {
  return up !== undefined || describeAdvice(advice) !== describeAdvice(undefined);
}

function judge({ reason }: Outcome, { up, advice, why, unknown }: AgentReply): Outcome {
  const told = unknown.length === 0 ? reason : `${reason}, of which nothing is known here: ${unknown.join(" ")}`;
  if (up === undefined) return { ok: true, reason: told, advice, undecided: true };
  return { ok: up, reason: why === "" ? told : `${told}: ${why}`, advice };
}

/** With its end, or up to that of the connection. */
async function firstLine(peer: Conversation): Promise<string> {
  let line = Buffer.alloc(0);
  while (!line.includes(0x0a) && line.length < longestLine) {
    const more = await peer.some();
    if (more.length === 0) {
      if (line.length > 0) break;
      throw new Error("it said nothing");
    }
    line = Buffer.concat([line, more]);
  }
  return line.toString("utf8").split(/[\r\n]/)[0] ?? "";
}
