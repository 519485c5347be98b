/** Against servers on loopback that answer, refuse, hang and break off. */
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Webhook } from "../../src/daemon/webhook.ts";
import { selfSigned } from "../support/self-signed.ts";
import { MemoryLog, until } from "./support.ts";

const patience = 20_000;

function serve(answer: RequestListener): Promise<string> {
  return listen(createServer(answer));
}

async function listen(server: Server | SecureServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Reads bodies, and answers with the next of these. */
async function answering(...codes: number[]) {
  const requests: { readonly body: string; readonly headers: Record<string, unknown>; readonly method?: string }[] = [];
  const url = await serve((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      requests.push({ body, headers: request.headers, ...(request.method ? { method: request.method } : {}) });
      response.writeHead(codes.shift() ?? 204, { location: "/elsewhere" });
      response.end("x".repeat(100_000));
    });
  });
  return { url, requests };
}

function webhook(url: string, retries = 5, timeout = patience) {
  const log = new MemoryLog();
  const headers = { Authorization: "Bearer secret" };
  const options = { log, userAgent: "viprd/0.0.0", firstDelay: 10 };
  return { log, hook: new Webhook({ url, headers, timeout, retries }, options) };
}

test("the document is posted as JSON, with the headers of the configuration", async () => {
  const { url, requests } = await answering();
  const { hook, log } = webhook(`${url}/path?x=1`);
  hook.send({ name: "wéb" });
  await until(() => hook.status().sent === 1, "the answer", patience);
  expect(requests).toMatchObject([
    {
      method: "POST",
      body: '{"name":"wéb"}',
      headers: {
        authorization: "Bearer secret",
        "content-type": "application/json",
        "content-length": "15",
        "user-agent": "viprd/0.0.0",
      },
    },
  ]);
  expect(hook.status()).toMatchObject({
    url: `${url}/…`,
    sent: 1,
    failed: 0,
    last: { ok: true, message: "answered 204" },
  });
  expect(log.lines).toEqual([]);
});

test("a failing server is tried again, and what comes later waits for its turn", async () => {
  const { url, requests } = await answering(500, 429, 200);
  const { hook, log } = webhook(url);
  hook.send({ n: 1 });
  hook.send({ n: 2 });
  await until(() => hook.status().sent === 2, "both", patience);
  expect(requests.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":1}', '{"n":1}', '{"n":2}']);
  expect(log.lines).toEqual([
    `warn webhook ${url}: answered 500; tried again in 0.01 s`,
    `warn webhook ${url}: answered 429; tried again in 0.02 s`,
  ]);
});

test("it is given up after the last attempt, and told", async () => {
  const { url, requests } = await answering(503, 503, 503);
  const { hook, log } = webhook(url, 2);
  hook.send({ n: 1 });
  hook.send({ n: 2 });
  await until(() => hook.status().sent === 1, "the second", patience);
  expect(requests.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":1}', '{"n":1}', '{"n":2}']);
  expect(hook.status()).toMatchObject({ sent: 1, failed: 1, waiting: 0 });
  expect(log.lines.at(-1)).toBe(`error webhook ${url}: a transition could not be told: answered 503`);
});

test.each([301, 400, 404])("%d is final, and a redirect is not followed", async (code) => {
  const { url, requests } = await answering(code);
  const { hook } = webhook(url);
  hook.send({ n: 1 });
  await until(() => hook.status().failed === 1, "the refusal", patience);
  expect(requests).toHaveLength(1);
  expect(hook.status().last).toMatchObject({ ok: false, message: `answered ${code}` });
});

test("a server that never answers costs the timeout and no more", async () => {
  const url = await serve(() => {});
  const { hook } = webhook(url, 1, 200);
  const begun = performance.now();
  hook.send({ n: 1 });
  await until(() => hook.status().failed === 1, "the end", patience);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(390);
  expect(hook.status().last).toMatchObject({ ok: false, message: "no answer within 0.2 s" });
});

test("an answer that trickles is bounded by the same timeout", async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write("x"), 20);
    response.on("close", () => clearInterval(timer));
  });
  const { hook } = webhook(url, 0, 300);
  hook.send({ n: 1 });
  await until(() => hook.status().failed === 1, "the end", patience);
  expect(hook.status().last).toMatchObject({ ok: false, message: "no answer within 0.3 s" });
});

test("a connection that is refused or broken off is told by its reason", async () => {
  const url = await serve((request) => request.socket.destroy());
  const { hook } = webhook(url, 0);
  hook.send({ n: 1 });
  await until(() => hook.status().failed === 1, "the end", patience);
  expect(hook.status().last?.message).toBe("socket hang up");
  // Reserved, and nobody listens there.
  const { hook: refused } = webhook("http://127.0.0.1:1/", 0);
  refused.send({ n: 1 });
  await until(() => refused.status().failed === 1, "the end", patience);
  expect(refused.status().last?.message).toBe("connect ECONNREFUSED 127.0.0.1:1");
});

test("a certificate that nobody vouches for is refused", async () => {
  let asked = 0;
  const url = await listen(
    createSecureServer(selfSigned, (_request, response) => {
      asked += 1;
      response.end();
    }),
  );
  const { hook } = webhook(url.replace("http:", "https:"), 0);
  hook.send({ n: 1 });
  await until(() => hook.status().failed === 1, "the end", patience);
  expect(hook.status().last?.message).toMatch(/^self.signed certificate/);
  expect(asked).toBe(0);
});

test("too many that wait: the oldest are dropped and counted", async () => {
  const url = await serve(() => {});
  const { hook, log } = webhook(url);
  for (let n = 0; n < 1010; n++) hook.send({ n });
  // One is under way.
  expect(hook.status()).toMatchObject({ waiting: 1000, dropped: 9 });
  expect(log.lines[0]).toBe(`error webhook ${url}: more than 1000 transitions wait, the oldest are dropped`);
  await hook.close(50);
});

test("a stop posts what waits without waiting between attempts", async () => {
  const { url, requests } = await answering(500);
  const log = new MemoryLog();
  const options = { log, userAgent: "viprd/0.0.0", firstDelay: 60_000 };
  const hook = new Webhook({ url, headers: {}, timeout: patience, retries: 5 }, options);
  hook.send({ n: 1 });
  await until(() => hook.status().last !== null, "the first attempt", patience);
  hook.send({ n: 2 });
  await hook.close(patience);
  expect(requests.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":1}', '{"n":2}']);
});

test("a stop does not wait longer than it may", async () => {
  const url = await serve(() => {});
  const { hook, log } = webhook(url);
  hook.send({ n: 1 });
  hook.send({ n: 2 });
  const begun = performance.now();
  await hook.close(200);
  expect(performance.now() - begun).toBeLessThan(5000);
  expect(log.lines.at(-1)).toBe(`error webhook ${url}: no time was left for 1 transitions`);
});
