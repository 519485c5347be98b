/** One POST of a JSON document, within a time in all, and what came of it. Redirects are not followed. */

export interface PostOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds, from the name's lookup to the end of the answer. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

export interface Outcome {
  readonly ok: boolean;
  /** "answered 204", "connect ECONNREFUSED 192.0.2.1:80" */
  readonly message: string;
  /** Another attempt would get the same answer. */
  readonly final: boolean;
}

/** Never rejects. */
export async function postJson({ url, headers, body, timeout, signal }: PostOptions): Promise<Outcome> {
  // Loaded with the first use: most configurations have no webhook, and start without.
  const { request } = url.startsWith("https:") ? await import("node:https") : await import("node:http");
  const limit = AbortSignal.timeout(timeout);
  const both = AbortSignal.any([signal, limit]);
  return await new Promise((resolve) => {
    const failed = (error: Error): void => {
      const message = limit.aborted ? `no answer within ${timeout / 1000} s` : error.message;
      resolve({ ok: false, message, final: false });
    };
    try {
      const sent = request(
        url,
        {
          method: "POST",
          // One connection for one message: none is kept that could have died unnoticed.
          agent: false,
          signal: both,
          headers: { ...headers, "content-type": "application/json", "content-length": Buffer.byteLength(body) },
        },
        (answer) => {
          const { statusCode = 0 } = answer;
          answer.on("error", failed);
          answer.on("end", () => resolve(judge(statusCode)));
          // What it says is of no interest, but has to be read.
          answer.resume();
        },
      );
      sent.on("error", failed);
      sent.end(body);
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

function judge(status: number): Outcome {
  const ok = status >= 200 && status < 300;
  // Request Timeout and Too Many Requests ask for another attempt (RFC 9110 section 15.5.9, RFC 6585 section 4).
  const final = ok || (status < 500 && status !== 408 && status !== 429);
  return { ok, message: `answered ${status}`, final };
}
