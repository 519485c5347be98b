/** What `viprd drain --wait` waits for, against a daemon that tells what the test makes up. */
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type WaitOptions, waitUntilDrained } from "../../src/cli/wait-drained.ts";
import { temporaryDirectory } from "../daemon/support.ts";

interface Counts {
  /** What has left the file: the server, or its virtual server. */
  readonly gone?: "server" | "virtual server";
  readonly active?: number;
  readonly inactive?: number;
  readonly persistent?: number;
}

const servers = [{ virtual_server: "web", server: "192.0.2.21:80" }] as const;

/** Each look finds the next of `looks`, and then the last one again. */
async function waiting(service: string, looks: readonly Counts[], changes: Partial<WaitOptions> = {}) {
  let asked = 0;
  const server = createServer((request, response) => {
    const look = looks[Math.min(asked, looks.length - 1)] ?? {};
    const { gone, active = 0, inactive = 0, persistent = 0 } = look;
    if (gone === "virtual server" && request.url !== "/v1/status") {
      response.statusCode = 404;
      response.end(JSON.stringify({ error: 'no virtual server "web"; none is configured' }));
      return;
    }
    asked++;
    const drained = {
      name: "192.0.2.21:80",
      state: gone === undefined ? "draining" : "leaving",
      desired_weight: 0,
      kernel_weight: 0,
      active_connections: active,
      inactive_connections: inactive,
      persistent_connections: persistent,
      admin: gone === undefined ? [{ what: "drain" }] : [],
    };
    const web = {
      name: gone === "virtual server" ? "web (leaving)" : "web",
      services: [{ address: service }],
      servers: [drained],
    };
    response.end(JSON.stringify({ virtual_servers: [web] }));
  });
  const socket = join(temporaryDirectory(), "control.sock");
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => void server.close());
  const said: string[] = [];
  const end = await waitUntilDrained(socket, servers, {
    timeout: 5000,
    interval: 5,
    first: "drained",
    say: (line) => said.push(line),
    ...changes,
  });
  return { end, said, asked };
}

test("over TCP it is over when no active connection is left, and those that the kernel remembers are told", async () => {
  const { end, said, asked } = await waiting("tcp 192.0.2.10:80", [
    { active: 2, inactive: 1 },
    { active: 0, inactive: 3, persistent: 1 },
  ]);
  expect(end).toMatchObject({ outcome: "drained", connections: 0, inactive: 3 });
  expect(said[1]).toBe("2 active connections left, 1 inactive");
  expect(said.at(-1)).toMatch(
    /^no active connection is left after .*; 3 inactive: closed or half closed, and remembered by the kernel for a while; 1 client may come back to it by persistence$/,
  );
  // One that was being set up becomes active a moment later.
  expect(asked).toBe(4);
});

test("a handshake that was under way counts once it is through", async () => {
  const looks = [{ inactive: 1 }, { inactive: 1 }, { active: 1 }, { active: 1 }, { inactive: 1 }];
  const { end, asked } = await waiting("tcp 192.0.2.10:80", looks);
  expect(end.outcome).toBe("drained");
  expect(asked).toBe(7);
});

test.each(["udp 192.0.2.10:53", "fwmark 7 ipv4"])(
  "of %s none is ever active: inactive ones are waited for",
  async (service) => {
    const { end, said, asked } = await waiting(service, [{ inactive: 2 }, { inactive: 1 }, {}]);
    expect(end).toMatchObject({ outcome: "drained", connections: 0, inactive: 0 });
    expect(said[1]).toBe("2 connections left");
    expect(said.at(-1)).toMatch(/^no connection is left after /);
    expect(asked).toBe(5);
  },
);

test("what is left at the timeout is told", async () => {
  const { end } = await waiting("tcp 192.0.2.10:80", [{ active: 1, inactive: 4 }], { timeout: 50 });
  expect(end).toMatchObject({ outcome: "timeout", connections: 1, inactive: 4 });
  expect(end.message).toMatch(/^1 active connection left, 4 inactive after /);
});

test.each(["server", "virtual server"] as const)("a %s that leaves the file is waited for as it was", async (gone) => {
  const { end, said } = await waiting("tcp 192.0.2.10:80", [{ active: 2 }, { gone, active: 1 }, { gone }]);
  expect(end).toMatchObject({ outcome: "drained", connections: 0 });
  expect(said.at(-1)).toMatch(/^no connection is left after /);
});
