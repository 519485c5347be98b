import { describe, expect, test } from "vitest";
import { encodeRequest, ResponseReader } from "../../src/wire/http.ts";

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

/** Fed in pieces of so many bytes; "…" at the end: the connection stays open. */
function read(text: string, size = text.length, method = "GET") {
  let body = "";
  const reader = new ResponseReader(method, (part) => {
    body += Buffer.from(part).toString("latin1");
  });
  const open = text.endsWith("…");
  const all = bytes(open ? text.slice(0, -1) : text);
  try {
    for (let at = 0; at < all.length; at += size) reader.add(all.subarray(at, at + size));
    if (!open && !reader.complete) reader.end();
  } catch (error) {
    return String(error instanceof Error ? error.message : error);
  }
  return reader.complete ? { ...reader.head, body } : "not complete";
}

test("a request", () => {
  const encoded = encodeRequest("GET", "/a?b", { host: "www.test", "x-y": "\u00e9" });
  expect(Buffer.from(encoded).toString("latin1")).toBe("GET /a?b HTTP/1.1\r\nhost: www.test\r\nx-y: \u00e9\r\n\r\n");
});

const ok = "HTTP/1.1 200 OK\r\n";

describe.each([1, 2, 3, 7, 10_000])("in pieces of %d bytes", (size) => {
  test.each<[string, string, object | string]>([
    ["a length", `${ok}Content-Length: 5\r\n\r\nhello…`, { status: 200, body: "hello" }],
    ["no length: up to the end", `${ok}\r\nhello`, { status: 200, headers: {}, body: "hello" }],
    ["no length, no end", `${ok}\r\nhello…`, "not complete"],
    ["a body of nothing", `${ok}content-length: 0\r\n\r\n…`, { status: 200, body: "" }],
    ["no body by its status", "HTTP/1.1 204 No Content\r\n\r\n…", { status: 204, body: "" }],
    ["no reason phrase", "HTTP/1.0 503 \r\n\r\n", { status: 503, body: "" }],
    ["not even a space for one", "HTTP/1.0 503\r\n\r\n", { status: 503, body: "" }],
    [
      "lines without carriage return",
      "HTTP/1.1 200 OK\nContent-Length: 2\nX: y\n\nhi…",
      { headers: { "content-length": "2", x: "y" }, body: "hi" },
    ],
    [
      "headers twice, and over two lines",
      `${ok}A: 1\r\na:2 \r\nB: x\r\n  y\r\n\r\n`,
      { headers: { a: "1, 2", b: "x y" } },
    ],
    [
      "an interim response",
      `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${ok}Content-Length: 1\r\n\r\n1…`,
      { status: 200, headers: { "content-length": "1" }, body: "1" },
    ],
    [
      "chunks",
      `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n…`,
      { body: "abc0123456789" },
    ],
    [
      "the length of a chunk in all its forms",
      `${ok}Transfer-Encoding: chunked\r\n\r\n0a\n0123456789\nB \r\n0123456789a\r\n00000000000c\r\n0123456789ab\r\n0\r\n\r\n…`,
      { body: "01234567890123456789a0123456789ab" },
    ],
    ["no length of a chunk", `${ok}Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n…`, 'no length of a chunk: "\\r"'],
    ["interim responses without end", "HTTP/1.1 100 Continue\r\n\r\n".repeat(21), "more than 20 interim responses"],
    [
      "chunks count, whatever length is told",
      `${ok}Content-Length: 1\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n…`,
      { body: "a" },
    ],
    ["trailers", `${ok}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\nZ: 1\r\n\r\n…`, { body: "a" }],
    ["the same length twice", `${ok}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi…`, { body: "hi" }],
    ["what follows", `${ok}Content-Length: 2\r\n\r\nhiHTTP/1.1 500 No\r\n\r\n…`, { status: 200, body: "hi" }],
    ["no answer", "", "the connection ended without an answer"],
    ["half of the headers", `${ok}A: 1\r\n`, "the connection ended in the middle of the headers"],
    [
      "half of the body",
      `${ok}Content-Length: 5\r\n\r\nhe`,
      "the connection ended in the middle of the body, 3 bytes too early",
    ],
    [
      "half of the chunks",
      `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
      "the connection ended in the middle of a chunked body",
    ],
    [
      "no end of the trailers",
      `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n`,
      "the connection ended in the middle of the trailers",
    ],
    [
      "another protocol",
      "220 mail.test ESMTP\r\n…",
      size === 1 ? 'no answer of HTTP/1.1: "2"' : expect.stringMatching(/^no answer of HTTP\/1\.1: "22/),
    ],
    ["another version", "HTTP/2 200\r\n\r\n…", 'no answer of HTTP/1.1: "HTTP/2 200"'],
    ["no status", "HTTP/1.1 OK\r\n\r\n…", 'no answer of HTTP/1.1: "HTTP/1.1 OK"'],
    ["no header", `${ok}a b: c\r\n\r\n…`, 'no header: "a b: c"'],
    ["no name of a header", `${ok}: c\r\n\r\n…`, 'no header: ": c"'],
    ["no number as length", `${ok}Content-Length: 5x\r\n\r\n…`, 'no length of a body: "5x"'],
    ["a negative length", `${ok}Content-Length: -1\r\n\r\n…`, 'no length of a body: "-1"'],
    ["two lengths", `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\n…`, 'no length of a body: "5, 6"'],
    ["no length of a chunk", `${ok}Transfer-Encoding: chunked\r\n\r\nxyz\r\n…`, 'no length of a chunk: "xyz\\r"'],
    [
      "a chunk that goes on",
      `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n…`,
      "a chunk that is longer than it says",
    ],
  ])("%s", (_what, text, expected) => {
    const result = read(text, size);
    if (typeof expected === "string" || typeof result === "string") expect(result).toEqual(expected);
    else expect(result).toMatchObject(expected);
  });
});

test("the answer to HEAD has no body, whatever it says", () => {
  expect(read(`${ok}Content-Length: 5\r\n\r\n…`, 1000, "HEAD")).toMatchObject({ status: 200, body: "" });
});

test("headers and lines without end have one", () => {
  expect(read(`${ok}A: ${"x".repeat(20_000)}…`, 1000)).toBe("more than 16384 bytes of the headers");
  const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
  expect(read(`${chunked}1;${"x".repeat(9000)}…`, 1000)).toBe("more than 4096 bytes of a chunked body");
  expect(read(`${chunked}0\r\n${"A: b\r\n".repeat(9000)}…`, 1000)).toBe("more than 16384 bytes of trailers");
});

test("a header that is called as a part of every object is one like others", () => {
  const result = read(`${ok}__proto__: x\r\nconstructor: y\r\nContent-Length: 0\r\n\r\n…`);
  expect(typeof result === "string" ? result : Object.entries(result.headers ?? {})).toEqual([
    ["__proto__", "x"],
    ["constructor", "y"],
    ["content-length", "0"],
  ]);
});
