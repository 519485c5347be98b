import { execFileSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attempt } from "../../src/healthchecks/attempt.ts";
import type { CheckType } from "../../src/healthchecks/check-type.ts";
import { custom } from "../../src/healthchecks/custom.ts";
import { dns } from "../../src/healthchecks/dns.ts";
import { file } from "../../src/healthchecks/file.ts";
import { grpc } from "../../src/healthchecks/grpc.ts";
import { http } from "../../src/healthchecks/http.ts";
import { networkInterface } from "../../src/healthchecks/interface.ts";
import { ping } from "../../src/healthchecks/ping.ts";
import { processes } from "../../src/healthchecks/process.ts";
import { radius } from "../../src/healthchecks/radius.ts";
import { redis } from "../../src/healthchecks/redis.ts";
import { route } from "../../src/healthchecks/route.ts";
import { script } from "../../src/healthchecks/script.ts";
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
  for (const { name, type, parameters } of all(port)) {
    // What it sees is good for others for a while.
    if (name !== "process") await type.probe(parameters, AbortSignal.timeout(500));
  }
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
    each("http over HTTP/2", http, { ...page, version: "2", verify: true, status: [], responseHeaders: [] }),
    each("https", http, {
      ...page,
      url: page.url.replace("http", "https"),
      verify: true,
      authorities: "/etc/hostname",
    }),
    each("tcp through the balancer", tcp, { via: { ...where, mark: 0, server: "127.0.0.1" } }),
    each("grpc", grpc, { service: "" }),
    each("grpc over TLS", grpc, { service: "", tls: { mode: "implicit", verify: true, authorities: "/etc/hostname" } }),
    each("redis", redis, {}),
    each("dns", dns, { server: "127.0.0.1", query: "example.org", queryType: "A", protocol: "udp" }),
    each("udp", udp, { payload: "00", wait: 50 }),
    each("radius", radius, { secret: { file: "/etc/hostname" }, nas: "viprd" }),
    each("ping", ping, {}),
    each("script", script, { argv: ["/bin/true"], security: false }),
    each("custom", custom, { module: "/etc/hostname", options: {}, security: false }),
    each("process", processes, { wanted: { program: "init" }, quorum: 1 }),
    each("file", file, { path: "/etc/hostname", present: true, value: { nonzero: true } }),
    each("route", route, { family: 4, destination: "127.0.0.0", prefixLength: 8, table: 255, reachable: false }),
    each("interface", networkInterface, { interface: "lo" }),
  ];
}

test.each(all(9))("without descriptors $name finds nothing out about the server", async ({ type, parameters }) => {
  expect(held.length).toBeGreaterThan(0);
  const outcome = await attempt((signal) => type.probe(parameters, signal), 500).result;
  expect(outcome).toMatchObject({
    ok: false,
    undecided: true,
    reason: expect.stringMatching(/too many open files|EMFILE/),
  });
});
