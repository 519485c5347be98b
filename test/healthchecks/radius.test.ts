import { createHash, createHmac } from "node:crypto";
import { createSocket } from "node:dgram";
import { expect, onTestFinished, test } from "vitest";
import { type RadiusParameters, radius } from "../../src/healthchecks/radius.ts";
import { probeOnce } from "./support.ts";

const secret = "shared";

/** Signed as a server does it (RFC 2865 section 3, RFC 2869 section 5.14). */
function reply(
  request: Buffer,
  code: number,
  attributes = Buffer.alloc(0),
  { signed = true, key = secret } = {},
): Buffer {
  const signature = signed ? Buffer.concat([Buffer.of(80, 18), Buffer.alloc(16)]) : Buffer.alloc(0);
  const head = Buffer.concat([
    Buffer.of(code, request[1] ?? 0, 0, 20 + signature.length + attributes.length),
    request.subarray(4, 20),
  ]);
  const message = Buffer.concat([head, signature, attributes]);
  if (signed) createHmac("md5", key).update(message).digest().copy(message, 22);
  createHash("md5").update(message).update(key).digest().copy(message, 4);
  return message;
}

async function server(answer: (request: Buffer) => readonly Buffer[]) {
  const requests: Buffer[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    requests.push(message);
    for (const bytes of answer(message)) socket.send(bytes, from.port, from.address);
  });
  onTestFinished(() => void socket.close());
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { port: socket.address().port, requests };
}

const login = { user: "probe", password: { text: "word" } };

async function probe(answer: (request: Buffer) => readonly Buffer[], changes: Partial<RadiusParameters> = {}) {
  const { port, requests } = await server(answer);
  const parameters: RadiusParameters = {
    type: "radius",
    host: "127.0.0.1",
    port,
    secret: { text: secret },
    rejectIsSuccess: false,
    requireMessageAuthenticator: false,
    nas: "viprd",
    ...changes,
  };
  const { ok, reason } = await probeOnce(radius, parameters, 60);
  return { ok, reason: reason.replace(`radius 127.0.0.1:${port}: `, ""), requests };
}

test("a server that says it is well, on the port of logins and of accounting", async () => {
  const { ok, reason, requests } = await probe((request) => [reply(request, 2)]);
  expect([ok, reason, requests[0]?.[0]]).toEqual([true, "answered Access-Accept", 12]);
  expect((await probe((request) => [reply(request, 5)])).reason).toBe("answered Accounting-Response");
});

test("a user who is let in, and one who is not", async () => {
  const accepted = await probe((request) => [reply(request, 2)], { login });
  expect([accepted.ok, accepted.requests[0]?.[0]]).toEqual([true, 1]);
  const text = Buffer.from("No such\nuser");
  const rejecting = (request: Buffer) => [reply(request, 3, Buffer.concat([Buffer.of(18, 2 + text.length), text]))];
  expect(await probe(rejecting, { login })).toMatchObject({
    ok: false,
    reason: 'answered Access-Reject "No such user" instead of Access-Accept',
  });
  expect(await probe(rejecting, { login, rejectIsSuccess: true })).toMatchObject({ ok: true });
});

test("an answer that is forged counts for nothing, and the real one behind it counts", async () => {
  const forged = (request: Buffer) => reply(request, 3, Buffer.alloc(0), { key: "guess" });
  expect(await probe((request) => [forged(request), reply(request, 2)])).toMatchObject({ ok: true });
  expect((await probe((request) => [forged(request)])).reason).toBe(
    "no answer within 60 ms, only Access-Reject with a wrong authenticator: is the secret the same there?",
  );
});

test("an answer without a Message-Authenticator is believed unless one is required", async () => {
  const bare = (request: Buffer) => [reply(request, 2, Buffer.alloc(0), { signed: false })];
  expect(await probe(bare)).toMatchObject({ ok: true });
  expect((await probe(bare, { requireMessageAuthenticator: true })).reason).toBe(
    "no answer within 60 ms, only Access-Accept without a Message-Authenticator",
  );
});

test("a secret that cannot be read is a failure that names its file", async () => {
  const { ok, reason, requests } = await probe(() => [], { secret: { file: "/no/such/file" } });
  expect([ok, requests.length]).toEqual([false, 0]);
  expect(reason).toBe("cannot read /no/such/file (ENOENT)");
});
