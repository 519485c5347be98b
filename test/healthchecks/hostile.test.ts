/** Every check of a service against a server that does not mean well. */
import type { Socket } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CheckType } from "../../src/healthchecks/check-type.ts";
import type { CheckParameters } from "../../src/healthchecks/parameters.ts";
import type { TypeParameters } from "../../src/healthchecks/types.ts";
import { typeOf } from "../../src/healthchecks/types.ts";
import { until } from "../daemon/support.ts";
import { common, listen, probeOnce } from "./support.ts";

const login = { user: "ann", password: { text: "hunter2" } };
const query = { text: "SELECT 1", row: ["1"] };

/** The most that each of them can ask for, and what a server of that kind would say, word for word or nearly so. */
const services: readonly {
  readonly parameters: (port: number) => TypeParameters;
  readonly lines: readonly string[];
}[] = [
  {
    parameters: (port) => ({ type: "smtp", host: "127.0.0.1", port }),
    lines: ["220 mx\r\n", "250-mx\r\n", "250 STARTTLS\r\n", "221 bye\r\n"],
  },
  {
    parameters: (port) => ({ type: "imap", host: "127.0.0.1", port, login }),
    lines: ["* OK hi\r\n", "CAPABILITY OK\r\n", "LOGIN OK\r\n", "+ \r\n", "* BYE\r\n"],
  },
  {
    parameters: (port) => ({ type: "pop", host: "127.0.0.1", port, login }),
    lines: ["+OK hi\r\n", "+OK\r\n", "-ERR no\r\n"],
  },
  {
    parameters: (port) => ({ type: "ftp", host: "127.0.0.1", port, login, retrieve: "/f" }),
    lines: [
      "220-hi\r\n",
      "220 hi\r\n",
      "331 and?\r\n",
      "230 in\r\n",
      "200 ok\r\n",
      "229 (|||1|)\r\n",
      "227 (1,2,3,4,0,1)\r\n",
    ],
  },
  {
    parameters: (port) => ({ type: "redis", host: "127.0.0.1", port, login, role: "master", present: "k" }),
    lines: ["+OK\r\n", "+PONG\r\n", "*3\r\n", "$6\r\nmaster\r\n", ":1\r\n", "$-1\r\n", "$70000\r\n", "*9999999\r\n"],
  },
  {
    parameters: (port) => ({
      type: "ldap",
      host: "127.0.0.1",
      port,
      login,
      search: { base: "", scope: "sub", filter: "(a=*)", least: 1 },
    }),
    lines: [
      "\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
      "\x30\x0b\x02\x01\x03\x64\x06\x04\x02a=\x30\x00",
      "\x30\x84\x7f\xff\xff\xff",
    ],
  },
  {
    parameters: (port) => ({ type: "mysql", host: "127.0.0.1", port, ...login, query }),
    lines: [
      `\x40\0\0\0\x0a8.4.0\0\x01\0\0\0abcdefgh\0\x08\xa2\x2d\x02\0\x89\0\x15${"\0".repeat(10)}abcdefghijkl\0mysql\0\0\0\0\0\0`,
      "\x07\0\0\x02\0\0\0\x02\0\0\0",
      "\x01\0\0\x01\x01",
      "\x05\0\0\x03\xfe\0\0\x02\0",
      "\x02\0\0\x04\x011",
      "\xff\xff\xff\0",
    ],
  },
  {
    parameters: (port) => ({ type: "pgsql", host: "127.0.0.1", port, login, query }),
    lines: [
      "R\0\0\0\x08\0\0\0\0",
      "Z\0\0\0\x05I",
      "R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0",
      "T\0\0\0\x06\0\0",
      "D\0\0\0\x0b\0\x01\0\0\0\x011",
      "D\x7f\xff\xff\xff",
    ],
  },
];

/** What the server does, one after the other, whatever it hears. */
type Act =
  | { readonly say: string }
  | { readonly bytes: Uint8Array }
  | { readonly pause: number }
  | { readonly end: "end" | "reset" };

const acts = (lines: readonly string[]): fc.Arbitrary<readonly Act[]> =>
  fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...lines).map((say) => ({ say })) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom(...lines), fc.nat(), fc.nat(255))
          .map(([say, at, byte]) => ({ say: mutated(say, at, byte) })),
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ bytes })) },
      { weight: 2, arbitrary: fc.constant({ pause: 1 }) },
      { weight: 1, arbitrary: fc.constantFrom({ end: "end" as const }, { end: "reset" as const }) },
    ),
    { maxLength: 12 },
  );

function mutated(text: string, at: number, byte: number): string {
  const position = at % text.length;
  return `${text.slice(0, position)}${String.fromCharCode(byte)}${text.slice(position + 1)}`;
}

async function perform(socket: Socket, todo: readonly Act[]): Promise<void> {
  for (const act of todo) {
    if (socket.destroyed) return;
    if ("say" in act) socket.write(Buffer.from(act.say, "latin1"));
    else if ("bytes" in act) socket.write(act.bytes);
    else if ("pause" in act) await new Promise((resolve) => setTimeout(resolve, act.pause));
    else {
      if (act.end === "end") socket.end();
      else socket.resetAndDestroy();
      return;
    }
  }
}

/** Listens once for many runs; each connection does what is next. */
async function hostile() {
  const open = new Set<Socket>();
  let todo: readonly Act[] = [];
  const port = await listen((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.resume();
    void perform(socket, todo);
  });
  const next = (acts: readonly Act[]): void => {
    todo = acts;
  };
  return { port, open, next };
}

const run = (parameters: TypeParameters, limit: number) => {
  const all = { ...common(), ...parameters } as CheckParameters;
  return probeOnce(typeOf(all) as CheckType<CheckParameters>, all, limit);
};

test.each(services.map((each) => ({ ...each, type: each.parameters(1).type })))(
  "$type: whatever is said, in whatever order, a run ends with a reason",
  async ({ parameters, lines }) => {
    const server = await hostile();
    const limit = 25;
    await fc.assert(
      fc.asyncProperty(acts(lines), async (todo) => {
        server.next(todo);
        const begun = performance.now();
        const { ok, reason } = await run(parameters(server.port), limit);
        expect(performance.now() - begun).toBeLessThan(limit + 2_000);
        expect(typeof ok).toBe("boolean");
        expect(reason).toMatch(/^[^\p{C}]{10,400}$/u);
        expect(reason).not.toContain("hunter2");
      }),
      { numRuns: 60, endOnFailure: true },
    );
    await until(() => server.open.size === 0, "the ends of all connections");
  },
);

test.each(services.map((each) => ({ ...each, type: each.parameters(1).type })))(
  "$type: a flood is not taken in",
  async ({ parameters, lines }) => {
    let sent = 0;
    const port = await listen((socket) => {
      const flood = Buffer.from(lines.slice(0, 1).join("") + "x".repeat(60_000), "latin1");
      const more = (): void => {
        do sent += flood.length;
        while (!socket.destroyed && socket.write(flood));
      };
      socket.on("drain", more);
      more();
    });
    const before = process.memoryUsage();
    const { ok } = await run(parameters(port), 300);
    const after = process.memoryUsage();
    expect(sent).toBeGreaterThan(0);
    // pop and smtp may be content with the first line.
    if (ok) expect(["pop", "smtp"]).toContain(parameters(port).type);
    expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(16 * 1024 * 1024);
  },
);
