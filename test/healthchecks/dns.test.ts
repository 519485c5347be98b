import { createSocket } from "node:dgram";
import { expect, onTestFinished, test } from "vitest";
import { type DnsParameters, dns } from "../../src/healthchecks/dns.ts";
import { probeOnce } from "./support.ts";

/** A name server that answers with this code and these IPv4 addresses, after a datagram that is no answer to the question. */
async function nameServer(code: number, ...addresses: readonly (readonly number[])[]): Promise<number> {
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const answer = Buffer.concat([
      query,
      ...addresses.map((address) => Buffer.of(0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address)),
    ]);
    answer[2] = 0x81;
    answer[3] = 0x80 | code;
    answer[7] = addresses.length;
    const forged = Buffer.from(answer);
    forged[0] = (forged[0] ?? 0) ^ 0xff;
    socket.send(forged, from.port, from.address);
    socket.send(answer, from.port, from.address);
  });
  onTestFinished(() => void socket.close());
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket.address().port;
}

function probe(port: number, changes: Partial<DnsParameters> = {}, limit?: number) {
  const parameters: DnsParameters = { type: "dns", host: "127.0.0.1", port, query: "www.example.com", queryType: "A" };
  return probeOnce(dns, { ...parameters, ...changes }, limit);
}

test("an answer", async () => {
  const port = await nameServer(0, [192, 0, 2, 1], [192, 0, 2, 2]);
  const what = `dns 127.0.0.1:${port}, www.example.com A`;
  expect(await probe(port)).toEqual({ ok: true, reason: `${what}: answered 192.0.2.1, 192.0.2.2` });
  expect(await probe(port, { answer: "192.0.2.2" })).toMatchObject({ ok: true });
  expect(await probe(port, { answer: "192.0.2.3" })).toEqual({
    ok: false,
    reason: `${what}: 192.0.2.3 is not among the answers, which are 192.0.2.1, 192.0.2.2`,
  });
});

test("an answer without addresses", async () => {
  const port = await nameServer(0);
  expect(await probe(port)).toMatchObject({ ok: true, reason: expect.stringContaining("answered with 0 records") });
  expect((await probe(port, { answer: "192.0.2.3" })).reason).toMatch(/not among the answers, there are none$/);
});

test("a refusal", async () => {
  const port = await nameServer(5);
  expect(await probe(port)).toMatchObject({ ok: false, reason: expect.stringMatching(/: answered REFUSED$/) });
});

test("silence", async () => {
  const socket = createSocket("udp4");
  onTestFinished(() => void socket.close());
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  expect(await probe(socket.address().port, {}, 20)).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/: no answer within 20 ms$/),
  });
});

test("what this host itself will not send is a failure that says why", async () => {
  // Broadcast is forbidden to an ordinary socket; where there is no route at all, that is said instead.
  const { ok, reason } = await probe(53, { host: "255.255.255.255" });
  expect(ok).toBe(false);
  expect(reason).toMatch(/: (no permission|the network cannot be reached) \(/);
});
