/** What checked servers may answer: whatever it is, it ends in a word about it and never in an exception of another kind. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { readAgentReply } from "../../src/healthchecks/agent-words.ts";
import { decodeHealthResponse, encodeHealthRequest } from "../../src/wire/grpc-health.ts";
import { ResponseReader } from "../../src/wire/http.ts";
import { decodeTimeReply, encodeTimeQuery } from "../../src/wire/ntp.ts";
import { decodeReply, encodeStatusServer } from "../../src/wire/radius.ts";
import { decodeResponse, headOf } from "../../src/wire/sip.ts";

const runs = { numRuns: 500 };
const anything = fc.uint8Array({ maxLength: 300 });

/** Where to cut, as shares of the length. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 });

/** What a reader makes of these bytes in pieces. */
function readHttp(bytes: Uint8Array, at: readonly number[]) {
  const body: number[] = [];
  const reader = new ResponseReader("GET", (part) => body.push(...part));
  const ends = [...at.map((share) => Math.floor(share * bytes.length)), bytes.length].sort((a, b) => a - b);
  try {
    let start = 0;
    for (const end of ends) {
      reader.add(bytes.subarray(start, end));
      start = end;
    }
    reader.end();
    return { head: reader.head, body };
  } catch (error) {
    // A mistake of ours would be a TypeError or a RangeError.
    if (!(error instanceof Error) || error.constructor !== Error) throw error;
    return { error: true };
  }
}

/** Lines that nearly are a response, in any order. */
const nearlyHttp = fc
  .array(
    fc.constantFrom(
      "HTTP/1.1 200 OK\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "Content-Length: 3\r\n",
      "Content-Length: 0\r\n",
      "Transfer-Encoding: chunked\r\n",
      "\r\n",
      "3\r\nabc\r\n",
      "0\r\n\r\n",
      "abc",
      " folded\r\n",
      "ffffffffffff\r\n",
      "\n",
      ":",
    ),
    { maxLength: 12 },
  )
  .map((lines) => Uint8Array.from(Buffer.from(`HTTP/1.1 200 OK\r\n${lines.join("")}`)));

test("an HTTP response means the same in whatever pieces it comes", () => {
  fc.assert(
    fc.property(fc.oneof(nearlyHttp, anything), cuts, (bytes, at) => {
      expect(readHttp(bytes, at)).toEqual(readHttp(bytes, []));
    }),
    runs,
  );
});

test("a body in chunks is the body, however it was cut", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 }), cuts, (chunks, at) => {
      const parts = chunks.flatMap((chunk) => [
        Buffer.from(`${chunk.length.toString(16)}\r\n`),
        chunk,
        Buffer.from("\r\n"),
      ]);
      const head = Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      const response = Buffer.concat([head, ...parts, Buffer.from("0\r\n\r\n")]);
      expect(readHttp(response, at)).toMatchObject({ body: chunks.flatMap((chunk) => [...chunk]) });
    }),
    runs,
  );
});

test("no datagram breaks the readers of NTP, RADIUS and SIP, and none is believed by chance", () => {
  const time = encodeTimeQuery(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const secret = Buffer.from("secret");
  const radius = encodeStatusServer({ id: 7, authenticator: new Uint8Array(16).fill(1), secret, nas: "viprd" });
  fc.assert(
    fc.property(anything, (bytes) => {
      expect(decodeTimeReply(time, bytes, Date.now())).toBeUndefined();
      // With the identifier that was sent it gets further.
      const answer = Uint8Array.from(bytes);
      if (answer.length > 1) answer[1] = 7;
      expect(["undefined", "string"]).toContain(typeof decodeReply(radius, answer, secret));
      const sip = decodeResponse(headOf(Buffer.from(bytes).toString("utf8")), "token");
      expect(["undefined", "string"]).toContain(typeof sip);
    }),
    runs,
  );
});

test("no answer breaks the readers of gRPC and of agents", () => {
  fc.assert(
    fc.property(anything, (bytes) => {
      const framed = Uint8Array.from([0, 0, 0, bytes.length >> 8, bytes.length & 255, ...bytes]);
      for (const message of [bytes, framed]) {
        try {
          expect(decodeHealthResponse(message)).toMatch(/^[A-Z_]+$|^status \d+/);
        } catch (error) {
          if (!(error instanceof Error) || error.constructor !== Error) throw error;
        }
      }
      const { advice } = readAgentReply(Buffer.from(bytes).toString("utf8"));
      expect(Object.values(advice).every((value) => typeof value === "string" || value >= 0)).toBe(true);
    }),
    runs,
  );
  expect(encodeHealthRequest("")).toEqual(new Uint8Array(5));
});
