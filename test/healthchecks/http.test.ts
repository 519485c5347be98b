import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createSecureServer, createServer as createServer2, type ServerHttp2Stream } from "node:http2";
import { createServer as createServerTls } from "node:https";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { type HttpParameters, http } from "../../src/healthchecks/http.ts";
import { judgeResponse } from "../../src/healthchecks/http-judge.ts";
import { until } from "../daemon/support.ts";
import { makeCertificates } from "./certificates.ts";
import { closedPort, listen, probeOnce } from "./support.ts";

const certificates = makeCertificates();
afterAll(() => rmSync(certificates.directory, { recursive: true }));

async function start(server: NetServer): Promise<number> {
  const open = new Set<Socket>();
  server.on("connection", (socket) => open.add(socket));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function plain(listener: RequestListener): Promise<number> {
  return start(createServer(listener));
}

function probe(url: string, changes: Partial<HttpParameters> = {}, limit?: number) {
  const parameters: HttpParameters = {
    type: "http",
    url,
    method: "GET",
    version: "1.1",
    headers: {},
    statusCodes: [[200, 299]],
    responseHeaders: {},
    redirects: 0,
    verify: true,
    ...changes,
  };
  return probeOnce(http, parameters, limit);
}

describe("over HTTP/1.1", () => {
  test("a status that is expected, and the request that was sent", async () => {
    let seen: IncomingMessage | undefined;
    const port = await plain((request, response) => {
      seen = request;
      response.end("fine");
    });
    const url = `http://127.0.0.1:${port}/health?full=1`;
    const headers = { host: "www.test", "x-probe": "1" };
    expect(await probe(url, { headers })).toEqual({ ok: true, reason: `GET ${url}: status 200` });
    expect(seen?.url).toBe("/health?full=1");
    expect(seen?.headers).toMatchObject({
      host: "www.test",
      "x-probe": "1",
      "user-agent": "viprd",
      connection: "close",
    });
  });

  test("a status that is not expected", async () => {
    const port = await plain((_, response) => void response.writeHead(503).end());
    expect(await probe(`http://127.0.0.1:${port}/`)).toEqual({
      ok: false,
      reason: `GET http://127.0.0.1:${port}/: status 503 instead of 200-299`,
    });
  });

  test("an address instead of the host of the URL", async () => {
    const hosts: (string | undefined)[] = [];
    const port = await plain((request, response) => {
      hosts.push(request.headers.host);
      response.end();
    });
    expect(await probe(`http://www.test:${port}/`, { address: "127.0.0.1" })).toMatchObject({ ok: true });
    expect(hosts).toEqual([`www.test:${port}`]);
  });

  test("a redirection counts as what it is, or is followed", async () => {
    const port = await plain((request, response) => {
      if (request.url === "/") response.writeHead(302, { location: "/there" }).end();
      else response.end("arrived");
    });
    const url = `http://127.0.0.1:${port}/`;
    expect(await probe(url)).toMatchObject({ ok: false, reason: `GET ${url}: status 302 instead of 200-299` });
    expect(await probe(url, { redirects: 1, body: "arrived" })).toEqual({
      ok: true,
      reason: `GET ${url}: status 200 at ${url}there`,
    });
  });

  test("the headers of a check go to the host of its URL alone", async () => {
    const seen: unknown[] = [];
    const port = await plain(({ url, headers: { host, authorization } }, response) => {
      seen.push([url, host, authorization]);
      const location = { "/": "/here", "/here": `http://localhost:${port}/there` }[url ?? ""];
      response.writeHead(location === undefined ? 200 : 302, location === undefined ? {} : { location });
      response.end();
    });
    const headers = { host: "www.example.com", authorization: "Bearer x" };
    expect(await probe(`http://127.0.0.1:${port}/`, { redirects: 2, headers })).toMatchObject({ ok: true });
    expect(seen).toEqual([
      ["/", "www.example.com", "Bearer x"],
      ["/here", "www.example.com", "Bearer x"],
      ["/there", `localhost:${port}`, undefined],
    ]);
  });

  test("a redirection to the name that is asked for stays with the server that is checked", async () => {
    const seen: unknown[] = [];
    const port = await plain(({ url, headers: { host, authorization } }, response) => {
      seen.push([url, host, authorization]);
      if (url === "/") response.writeHead(302, { location: `http://shop.invalid:${port}/there` });
      response.end();
    });
    const headers = { host: "Shop.invalid", authorization: "Bearer x" };
    const changes = { redirects: 1, headers };
    // The name stands for all servers perhaps: another one that is well is no sign of this one.
    expect(await probe(`http://127.0.0.1:${port}/`, changes)).toMatchObject({ ok: true });
    expect(await probe(`http://www.invalid:${port}/`, { ...changes, address: "127.0.0.1" })).toMatchObject({
      ok: true,
    });
    const one = ["/", "Shop.invalid", "Bearer x"];
    const two = ["/there", "Shop.invalid", "Bearer x"];
    expect(seen).toEqual([one, two, one, two]);
  });

  test("redirections in a circle end", async () => {
    const port = await plain((_, response) => void response.writeHead(302, { location: "/" }).end());
    expect((await probe(`http://127.0.0.1:${port}/`, { redirects: 3 })).reason).toContain("status 302 instead of");
  });

  test("an endless body is read so far and no further", async () => {
    let closed = false;
    const port = await plain((request, response) => {
      request.socket.on("close", () => {
        closed = true;
      });
      const write = (): void => {
        while (!closed && response.write("x".repeat(65_536)));
        if (!closed) response.once("drain", write);
      };
      write();
    });
    expect(await probe(`http://127.0.0.1:${port}/`, { body: "x" })).toMatchObject({ ok: true });
    await until(() => closed, "the end of the connection");
  });

  test("a server that accepts and says nothing", async () => {
    const port = await listen((socket) => void socket.resume());
    expect(await probe(`http://127.0.0.1:${port}/`, {}, 30)).toEqual({
      ok: false,
      reason: `GET http://127.0.0.1:${port}/: no answer within 30 ms`,
    });
  });

  test("a server that begins an answer and stops", async () => {
    const port = await plain((_, response) => void response.writeHead(200, { "content-length": "10" }).write("1"));
    expect((await probe(`http://127.0.0.1:${port}/`, {}, 50)).reason).toContain("no answer within 50 ms");
  });

  test("a server that breaks off, and one that speaks something else", async () => {
    const broken = await plain((_, response) => {
      response.writeHead(200, { "content-length": "10" }).write("1", () => response.destroy());
    });
    expect((await probe(`http://127.0.0.1:${broken}/`)).reason).toBe(
      `GET http://127.0.0.1:${broken}/: the connection ended in the middle of the body, 9 bytes too early`,
    );
    const other = await listen((socket) => void socket.resume().end("SSH-2.0-something\r\n"));
    expect((await probe(`http://127.0.0.1:${other}/`)).reason).toMatch(
      /no answer of HTTP\/1\.1: "SSH-2\.0-something"$/,
    );
  });

  test("a closed port, and a name that does not exist", async () => {
    const port = await closedPort();
    expect(await probe(`http://127.0.0.1:${port}/`)).toEqual({
      ok: false,
      reason: `GET http://127.0.0.1:${port}/: refused (ECONNREFUSED)`,
    });
    expect((await probe("http://no-such-host.invalid/")).reason).toMatch(
      /the name cannot be looked up \((ENOTFOUND|EAI_AGAIN)\)$/,
    );
  });
});

describe("over TLS", () => {
  const tls = (options: object = {}, listener: RequestListener = (_, response) => void response.end("secret")) =>
    start(createServerTls({ ...certificates.server, ...options }, listener) as unknown as Server);

  test("a certificate of a known authority for the name", async () => {
    const port = await tls();
    const authorities = certificates.authority;
    expect(await probe(`https://127.0.0.1:${port}/`, { authorities })).toMatchObject({ ok: true });
    expect(await probe(`https://www.test:${port}/`, { authorities, address: "127.0.0.1" })).toMatchObject({ ok: true });
    const serverName = "www.test";
    expect(await probe(`https://127.0.0.1:${port}/`, { authorities, serverName })).toMatchObject({ ok: true });
  });

  test("an unknown authority and another name are failures, unless they are not to be looked at", async () => {
    const port = await tls();
    expect((await probe(`https://127.0.0.1:${port}/`)).reason).toMatch(/the authority of the certificate is not known/);
    const other = { authorities: certificates.authority, serverName: "other.test" };
    expect((await probe(`https://127.0.0.1:${port}/`, other)).reason).toMatch(/the certificate is for another name/);
    expect(await probe(`https://127.0.0.1:${port}/`, { verify: false })).toMatchObject({ ok: true });
  });

  test("a client certificate", async () => {
    const port = await tls({ requestCert: true, rejectUnauthorized: true, ca: [certificates.server.cert] });
    expect((await probe(`https://127.0.0.1:${port}/`, { verify: false })).ok).toBe(false);
    const { readFileSync } = await import("node:fs");
    const strict = await tls({ requestCert: true, rejectUnauthorized: true, ca: readFileSync(certificates.authority) });
    const { certificate, key } = certificates.client;
    // The server's words, without the source file of OpenSSL that heard them; older versions of TLS say it otherwise.
    expect((await probe(`https://127.0.0.1:${strict}/`, { verify: false })).reason).toMatch(
      /^GET \S+: [a-z0-9 ]*(certificate required|handshake failure) \(ERR_SSL_\w+\)$/,
    );
    expect(await probe(`https://127.0.0.1:${strict}/`, { verify: false, certificate, key })).toMatchObject({
      ok: true,
    });
  });

  test("a certificate that expires soon is warned of, over HTTP/1.1 and HTTP/2", async () => {
    const authorities = certificates.authority;
    const day = 24 * 3_600_000;
    const port = await tls();
    // It is good for two days, and the last third of them counts at most.
    expect(await probe(`https://127.0.0.1:${port}/`, { authorities, warnBefore: 14 * day })).not.toHaveProperty(
      "warning",
    );
    const old = certificates.expiring;
    const warning = (at: number) => `the certificate of 127.0.0.1:${at} expires in less than a day`;
    const soon = await tls(old);
    expect(await probe(`https://127.0.0.1:${soon}/`, { authorities, warnBefore: 14 * day })).toEqual({
      ok: true,
      reason: `GET https://127.0.0.1:${soon}/: status 200`,
      warning: warning(soon),
    });
    expect(await probe(`https://127.0.0.1:${soon}/`, { authorities })).not.toHaveProperty("warning");
    const secure = await start(
      createSecureServer(old, ((_: unknown, response: { end(): void }) =>
        response.end()) as never) as unknown as Server,
    );
    const outcome = await probe(`https://127.0.0.1:${secure}/`, { authorities, version: "2", warnBefore: 14 * day });
    expect(outcome.warning).toBe(warning(secure));
  });

  test("a file that cannot be read is a failure that names it", async () => {
    expect(await probe("https://127.0.0.1:1/", { authorities: "/no/such/file" })).toEqual({
      ok: false,
      reason: "GET https://127.0.0.1:1/: cannot read /no/such/file (ENOENT)",
    });
  });

  test("a server without TLS", async () => {
    const port = await plain((_, response) => void response.end());
    expect((await probe(`https://127.0.0.1:${port}/`, { verify: false })).ok).toBe(false);
  });
});

describe("a digest is that of the whole body once its transfer coding is undone", () => {
  // echo -n of what is below, through md5sum and sha256sum.
  const text = "viprd ".repeat(100_000);
  const md5 = { name: "md5", value: "dffc38d2eeb39e21f335d591e59976c6" } as const;
  const sha256 = { name: "sha256", value: "64a588975c439d7f23c6d7be230604157283edcce362fa3c65de416dcdf2f0f0" } as const;
  const answer: RequestListener = (_, response) => {
    for (let at = 0; at < text.length; at += 100_001) response.write(text.slice(at, at + 100_001));
    response.end();
  };

  test.each([md5, sha256])("$name over HTTP/1.1, in chunks", async (digest) => {
    const port = await plain(answer);
    expect(await probe(`http://127.0.0.1:${port}/`, { digest })).toMatchObject({ ok: true });
    expect((await probe(`http://127.0.0.1:${port}/`, { digest: { ...digest, value: "00" } })).reason).toContain(
      ` of the body is ${digest.value} instead of 00`,
    );
  });

  test("over HTTP/2", async () => {
    const port = await start(createServer2(answer as never) as unknown as Server);
    expect(await probe(`http://127.0.0.1:${port}/`, { version: "2", digest: md5 })).toMatchObject({ ok: true });
  });
});

describe("several pages", () => {
  test("one whose path begins with two slashes is on the same server", async () => {
    const seen: unknown[] = [];
    const port = await plain(({ url, headers }, response) => {
      seen.push([url, headers.host]);
      response.end();
    });
    const pages = [{ path: "//other.invalid/x?y", statusCodes: codes(200) }];
    expect(await probe(`http://127.0.0.1:${port}/`, { pages })).toMatchObject({ ok: true });
    expect(seen.at(-1)).toEqual(["//other.invalid/x?y", `127.0.0.1:${port}`]);
  });

  const answers: RequestListener = ({ url, headers: { host } }, response) => {
    if (url === "/login?x=1") response.writeHead(401);
    response.end(`${host} ${url}`);
  };
  const codes = (code: number) => [[code, code]] as const;

  test("each is judged by its own rules, and asked with its own Host header", async () => {
    const port = await plain(answers);
    const url = `http://127.0.0.1:${port}/`;
    const pages = [
      { path: "/login?x=1", statusCodes: codes(401), body: "www.test /login" },
      { path: "/other", statusCodes: codes(200), host: "other.test", body: "other.test /other" },
    ];
    const first = { headers: { host: "www.test" }, body: "www.test /", bodyRegex: "/$" };
    expect(await probe(url, { ...first, pages })).toEqual({
      ok: true,
      reason: `GET ${url}: status 200, and 2 more pages`,
    });
    const bad = [...pages, { path: "/bad", statusCodes: codes(204) }];
    expect(await probe(url, { ...first, pages: bad })).toEqual({
      ok: false,
      reason: `GET ${url}bad: status 200 instead of 204`,
    });
  });

  test("after one that fails no other is asked", async () => {
    const asked: (string | undefined)[] = [];
    const port = await plain((request, response) => {
      asked.push(request.url);
      response.writeHead(500).end();
    });
    const pages = [{ path: "/other", statusCodes: codes(500) }];
    expect((await probe(`http://127.0.0.1:${port}/`, { pages })).ok).toBe(false);
    expect(asked).toEqual(["/"]);
  });
});

describe("over HTTP/2", () => {
  const answer = (request: { url?: string | undefined }, response: { end(text: string): void }) =>
    response.end(`at ${request.url}`);

  test("with TLS and without", async () => {
    const secure = await start(createSecureServer(certificates.server, answer as never) as unknown as Server);
    expect(
      await probe(`https://127.0.0.1:${secure}/x`, {
        version: "2",
        authorities: certificates.authority,
        body: "at /x",
      }),
    ).toEqual({ ok: true, reason: `GET https://127.0.0.1:${secure}/x: status 200` });
    const open = await start(createServer2(answer as never) as unknown as Server);
    expect(await probe(`http://127.0.0.1:${open}/y`, { version: "2", body: "at /y" })).toMatchObject({ ok: true });
  });

  test("a server that does not speak it, a closed port, silence, an untrusted certificate", async () => {
    const old = await plain((_, response) => void response.end());
    expect((await probe(`http://127.0.0.1:${old}/`, { version: "2" }, 2000)).ok).toBe(false);
    const port = await closedPort();
    expect((await probe(`http://127.0.0.1:${port}/`, { version: "2" })).reason).toContain("refused (ECONNREFUSED)");
    const silent = await listen((socket) => void socket.resume());
    expect((await probe(`http://127.0.0.1:${silent}/`, { version: "2" }, 30)).reason).toContain(
      "no answer within 30 ms",
    );
    const secure = await start(createSecureServer(certificates.server) as unknown as Server);
    expect((await probe(`https://127.0.0.1:${secure}/`, { version: "2" })).ok).toBe(false);
  });

  test.each([
    ["is cancelled", { code: 8 }, "the server broke the answer off"],
    ["breaks", { code: 2 }, "Stream closed with error code NGHTTP2_INTERNAL_ERROR (ERR_HTTP2_STREAM_ERROR)"],
    ["ends with the connection", { code: undefined }, "the server closed the connection"],
  ])("an answer that %s in the middle is none", async (_, { code }, why) => {
    // Frames as RFC 9113 section 4.1 has them, of stream 1; 88 is ":status 200". A server of Node would end the stream first.
    const answer = "000000040000000000 000001010400000001 88 000003000000000001 77656c";
    const reset = code === undefined ? "" : `0000040300000000010000000${code}`;
    const port = await listen((socket) => {
      socket.write(Buffer.from(`${answer}${reset}`.replaceAll(" ", ""), "hex"));
      if (code === undefined) socket.end();
      socket.resume();
    });
    expect(await probe(`http://127.0.0.1:${port}/`, { version: "2", body: "wel" })).toEqual({
      ok: false,
      reason: `GET http://127.0.0.1:${port}/: ${why}`,
    });
  });

  test("a request that is not answered but ended is not waited for", async () => {
    const server = createServer2().on("stream", (stream: ServerHttp2Stream) => stream.close(0));
    const port = await start(server as unknown as Server);
    expect((await probe(`http://127.0.0.1:${port}/`, { version: "2" })).reason).toContain(
      "the server ended the request without an answer",
    );
  });

  test("a request that cannot be sent leaves no connection", async () => {
    const server = createServer2(answer as never);
    const ended = new Promise<void>((resolve) => {
      server.on("connection", (socket: Socket) => void socket.on("close", resolve));
    });
    const port = await start(server as unknown as Server);
    const { ok } = await probe(`http://127.0.0.1:${port}/`, { version: "2", headers: { connection: "close" } });
    expect(ok).toBe(false);
    // The connection may have been ended before the server took it up; then another one comes first.
    await probe(`http://127.0.0.1:${port}/`, { version: "2" });
    await ended;
    const count = () => new Promise<number>((resolve) => server.getConnections((_, open) => resolve(open)));
    await until(async () => (await count()) === 0, "the end of all connections");
  });
});

test("an expression that takes for ever on what a server answers is a failure, and blocks nothing for long", async () => {
  const port = await plain((_, response) => void response.end("x".repeat(60)));
  const begun = performance.now();
  expect(await probe(`http://127.0.0.1:${port}/`, { bodyRegex: "^(x+x+)+y$" })).toEqual({
    ok: false,
    reason: `GET http://127.0.0.1:${port}/: matching ^(x+x+)+y$ takes longer than 100 ms: simplify it`,
  });
  expect(performance.now() - begun).toBeLessThan(5000);
  expect(await probe(`http://127.0.0.1:${port}/`, { bodyRegex: "^x+$" })).toMatchObject({ ok: true });
});

test("a response is judged by status, headers and body, in this order", () => {
  const wanted = {
    statusCodes: [
      [200, 200],
      [301, 302],
    ],
    body: "up",
    bodyRegex: "^up.*now$",
  } as const;
  const good = { status: 200, headers: { server: "nginx" }, body: "up\nnow" };
  const judge = (response: object, rules: object = {}) =>
    judgeResponse({ ...wanted, ...rules }, { server: "^nginx" }, { ...good, ...response }, "test");
  expect(judge({})).toBeUndefined();
  expect(judge({ status: 404 })).toBe("status 404 instead of 200, 301-302");
  expect(judge({ headers: {} })).toBe("no header server");
  expect(judge({ headers: { server: "caddy" } })).toBe('header server is "caddy", which does not match ^nginx');
  expect(judge({ body: "down" })).toBe('the body does not contain "up": "down"');
  expect(judge({ headers: { server: "nginx", "content-encoding": "gzip" }, body: "x" })).toBe(
    'the body, encoded as "gzip", does not contain "up": "x"',
  );
  expect(judge({ body: "it is up" })).toBe('the body does not match ^up.*now$: "it is up"');
  expect(judge({}, { noMatch: true })).toBe('the body matches ^up.*now$: "up now"');
  expect(judge({ body: "it is up" }, { noMatch: true })).toBeUndefined();
  const digest = { name: "md5", value: "aa" };
  expect(judge({ digest: "aa" }, { digest })).toBeUndefined();
  expect(judge({ digest: "ab" }, { digest })).toBe("the MD5 of the body is ab instead of aa");
});
