import { execFileSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CheckType } from "../../src/healthchecks/check-type.ts";
import { dns } from "../../src/healthchecks/dns.ts";
import { http } from "../../src/healthchecks/http.ts";
import { redis } from "../../src/healthchecks/redis.ts";
import { tcp } from "../../src/healthchecks/tcp.ts";
import { udp } from "../../src/healthchecks/udp.ts";

/** All that this process may still open. */
const held: number[] = [];

beforeAll(async () => {
  // Node has loaded what it needs for a connection once it has made one.
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  for (const { type, parameters } of all(port)) await type.probe(parameters, AbortSignal.timeout(500));
  server.close();
  execFileSync("prlimit", [`--nofile=512:`, `--pid=${process.pid}`]);
  for (let i = 0; i < 512; i++) {
    try {
      held.push(openSync("/dev/null", "r"));
    } catch {
      break;
    }
  }
});

afterAll(() => {
  for (const descriptor of held) closeSync(descriptor);
});

function all(port: number) {
  const where = { host: "127.0.0.1", port };
  const each = (name: string, type: unknown, parameters: object) => ({
    name,
    type: type as CheckType<object>,
    parameters: { ...where, ...parameters },
  });
  const page = { url: `http://127.0.0.1:${port}/`, method: "GET", version: "1.1", headers: {}, redirects: 0 };
  return [
    each("tcp", tcp, {}),
    each("http", http, { ...page, verify: true, status: [], responseHeaders: [] }),
    each("redis", redis, {}),
    each("dns", dns, { server: "127.0.0.1", query: "example.org", queryType: "A", protocol: "udp" }),
    each("udp", udp, { payload: "00", wait: 50 }),
  ];
}

test.each(all(9))("without descriptors $name finds nothing out about the server", async ({ type, parameters }) => {
  expect(held.length).toBeGreaterThan(0);
  const outcome = await type.probe(parameters, AbortSignal.timeout(500));
  expect(outcome).toMatchObject({ ok: false, undecided: true, reason: expect.stringContaining("too many open files") });
});
