/** What is said over a TCP connection and what has to be answered, step by step. */
import { matches } from "./bounded-match.ts";
import type { Conversation } from "./conversation.ts";
import { longestAnswer } from "./limits.ts";

export type Step = SendStep | ExpectStep;

export interface SendStep {
  readonly do: "send";
  /** Hexadecimal. */
  readonly bytes: string;
}

/** Judges all that came since the last step that sent. */
export interface ExpectStep {
  readonly do: "expect";
  /** Hexadecimal: bytes that must be in it. */
  readonly bytes?: string;
  /** Regular expression that it must match, read as UTF-8. */
  readonly regex?: string;
  /** It must not be in it, must not match. */
  readonly not?: true;
  /** Bytes that have to be there before it is judged. */
  readonly minLength: number;
}

/** `who` answers. Throws what came instead of what is expected. */
export async function takeSteps(peer: Conversation, steps: readonly Step[], who: string): Promise<void> {
  let answer: Buffer = Buffer.alloc(0);
  for (const [i, step] of steps.entries()) {
    peer.step = `step ${i + 1}`;
    if (step.do === "send") {
      peer.forget();
      answer = Buffer.alloc(0);
      peer.send(Buffer.from(step.bytes, "hex"));
    } else answer = await hear(peer, step, answer, who);
  }
}

async function hear(peer: Conversation, step: ExpectStep, before: Buffer, who: string): Promise<Buffer> {
  let answer = before;
  for (;;) {
    if (answer.length >= step.minLength) {
      const found = contains(step, answer, who);
      if (found !== (step.not === true)) return answer;
      if (found) throw new Error(complaint(peer, step, answer));
    }
    if (answer.length >= longestAnswer)
      throw new Error(`more than ${longestAnswer} bytes: ${complaint(peer, step, answer)}`);
    const more = await peer.some().catch((error: Error) => {
      throw new Error(`${error.message}: ${complaint(peer, step, answer)}`);
    });
    if (more.length === 0) throw new Error(`the server closed the connection: ${complaint(peer, step, answer)}`);
    answer = Buffer.concat([answer, more]).subarray(0, longestAnswer);
  }
}

function contains({ bytes, regex }: ExpectStep, answer: Buffer, who: string): boolean {
  if (bytes !== undefined) return answer.includes(Buffer.from(bytes, "hex"));
  return regex === undefined || matches(regex, "s", answer.toString("utf8"), who);
}

function complaint(peer: Conversation, { bytes, regex, not, minLength }: ExpectStep, answer: Buffer): string {
  const came = answer.length === 0 ? "nothing" : peer.quote(answer);
  if (answer.length < minLength) return `${came} has ${answer.length} bytes, fewer than ${minLength}`;
  if (bytes !== undefined) return `${came} ${not ? "contains" : "does not contain"} ${describe(bytes)}`;
  return `${came} ${not ? "matches" : "does not match"} ${regex}`;
}

/** As text where it is one. */
function describe(hex: string): string {
  const text = Buffer.from(hex, "hex").toString("latin1");
  return /^[\x20-\x7e\r\n\t]+$/.test(text) ? JSON.stringify(text) : `the bytes ${hex}`;
}
