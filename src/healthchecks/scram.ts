/** SCRAM-SHA-256 on the client's side, without channel binding: RFC 5802, RFC 7677. */
import { createHash, createHmac, pbkdf2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

/** Some servers are set to far more than the 4096 of the RFC; at some point it is only to waste time. */
const mostIterations = 200_000;
const derive = promisify(pbkdf2);

/** The user's name is told elsewhere, as PostgreSQL does. */
export function firstMessage(nonce: string): string {
  return `n,,n=,r=${nonce}`;
}

export interface FinalMessage {
  readonly message: string;
  /** Whether the server knows the password as well. */
  proves(serverFinal: string): boolean;
}

/** Throws on a challenge that is none, or that is not the answer to `nonce`. */
export async function finalMessage(password: string, nonce: string, challenge: string): Promise<FinalMessage> {
  const [, both = "", salt = "", digits = ""] =
    /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/=]+),i=(\d{1,9})(?:,|$)/.exec(challenge) ?? [];
  const iterations = Number(digits);
  if (!both.startsWith(nonce) || both === nonce) throw new Error("the challenge of the server is none of SCRAM");
  if (iterations < 1 || iterations > mostIterations) throw new Error(`the server wants ${digits} iterations of SCRAM`);
  const salted = await derive(password.normalize("NFKC"), Buffer.from(salt, "base64"), iterations, 32, "sha256");
  const clientKey = hmac(salted, "Client Key");
  const bare = `c=biws,r=${both}`;
  const signed = `n=,r=${nonce},${challenge},${bare}`;
  const signature = hmac(createHash("sha256").update(clientKey).digest(), signed);
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)));
  const wanted = hmac(hmac(salted, "Server Key"), signed);
  return {
    message: `${bare},p=${proof.toString("base64")}`,
    proves(serverFinal) {
      const told = Buffer.from(/^v=([A-Za-z0-9+/=]+)/.exec(serverFinal)?.[1] ?? "", "base64");
      return told.length === wanted.length && timingSafeEqual(told, wanted);
    },
  };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
