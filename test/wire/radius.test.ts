import { describe, expect, test } from "vitest";
import { decodeReply, encodeAccessRequest, encodeStatusServer } from "../../src/wire/radius.ts";

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));
const text = (value: string) => new TextEncoder().encode(value);
const secret = text("xyzzy5461");

describe("the examples of RFC 2865 section 7.1", () => {
  const authenticator = hex("0f403f9473978057bd83d5cb98f4227a");
  const request = encodeAccessRequest({ id: 0, authenticator, secret, nas: "lb1" }, text("nemo"), text("arctangent"));

  test("the password of the user is hidden as it is there", () => {
    expect(Buffer.from(request).toString("hex")).toContain("0212 0dbe708d93d413ce3196e43f782a0aee".replace(" ", ""));
  });

  test("its answer is believed, and one with a bit changed is not", () => {
    const answer = hex("02000026 86fe220e7624ba2a1005f6bf9b55e0b2 06060000 00010f06 00000000 0e06c0a8 0103");
    expect(decodeReply(request, answer, secret)).toEqual({ name: "Access-Accept", message: "", authenticated: false });
    expect(decodeReply(request, answer, text("other"))).toMatch(/^Access-Accept with a wrong authenticator/);
    const changed = answer.slice();
    changed[37] = 4;
    expect(decodeReply(request, changed, secret)).toMatch(/^Access-Accept with a wrong authenticator/);
    const rejected = answer.slice();
    rejected[0] = 3;
    expect(decodeReply(request, rejected, secret)).toMatch(/^Access-Reject with a wrong authenticator/);
  });
});

describe("the example of RFC 5997 section 6.1", () => {
  const authenticator = hex("8a54f4686fb394c52866e302185d0623");
  const theirs = hex("0cda0026 8a54f4686fb394c52866e302185d0623 50125a665e2e1e8411f3e243822097c84fa3");

  test("its answer is believed", () => {
    const answer = hex("02da0014 ef0d552a4bf2d693ec2b6fe8b5411d66");
    expect(decodeReply(theirs, answer, secret)).toEqual({ name: "Access-Accept", message: "", authenticated: false });
  });

  test("a request of ours is the same but for who asks", () => {
    const ours = encodeStatusServer({ id: 0xda, authenticator, secret, nas: "lb1" });
    expect([ours[0], ours[1], ours[3]]).toEqual([12, 0xda, 38 + 5]);
    expect(ours.slice(4, 22)).toEqual(theirs.slice(4, 22));
    expect(ours.slice(38)).toEqual(hex("20056c6231"));
  });
});

test("a Message-Authenticator comes first, and is that of the whole request", async () => {
  const { createHmac } = await import("node:crypto");
  const authenticator = new Uint8Array(16).fill(7);
  const request = encodeAccessRequest({ id: 9, authenticator, secret, nas: "lb1" }, text("a"), text(""));
  expect([...request.subarray(20, 22)]).toEqual([80, 18]);
  const blank = request.slice();
  blank.fill(0, 22, 38);
  expect(request.slice(22, 38)).toEqual(Uint8Array.from(createHmac("md5", secret).update(blank).digest()));
});

test("passwords of up to 128 bytes are hidden in blocks, longer ones are refused", () => {
  const origin = { id: 1, authenticator: new Uint8Array(16), secret, nas: "x" };
  const lengths = [0, 1, 16, 17, 128].map(
    (length) => encodeAccessRequest(origin, text("u"), new Uint8Array(length)).length,
  );
  expect(lengths.map((length) => length - (lengths[0] ?? 0))).toEqual([0, 0, 0, 16, 112]);
  expect(() => encodeAccessRequest(origin, text("u"), new Uint8Array(129))).toThrow("at most 128 bytes");
});

test("what answers something else, or is cut off, is no answer", () => {
  const request = encodeStatusServer({ id: 5, authenticator: new Uint8Array(16), secret, nas: "x" });
  const answer = (bytes: string) => decodeReply(request, hex(bytes), secret);
  expect(answer("")).toBeUndefined();
  expect(answer(`02060014${"00".repeat(16)}`)).toBeUndefined();
  expect(answer(`02050015${"00".repeat(16)}`)).toBeUndefined();
  expect(answer(`01050014${"00".repeat(16)}`)).toBeUndefined();
  expect(answer(`02050016${"00".repeat(16)}1201`)).toBeUndefined();
  expect(answer(`02050017${"00".repeat(16)}120500`)).toBeUndefined();
  expect(answer(`02050014${"00".repeat(16)}`)).toMatch("wrong authenticator");
});
