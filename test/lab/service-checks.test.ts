// Checks of services against servers as Debian ships them, on free ports of the loopback address.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PgsqlParameters, pgsql } from "../../src/healthchecks/pgsql.ts";
import { type RedisParameters, redis } from "../../src/healthchecks/redis.ts";
import { makeCertificates } from "../healthchecks/certificates.ts";
import { closedPort, probeOnce } from "../healthchecks/support.ts";
import { until } from "../support/netlink-namespace.ts";

const host = "127.0.0.1";
const directory = mkdtempSync(join(tmpdir(), "viprd-services-"));
const certificates = makeCertificates();
const processes: ChildProcess[] = [];
let redisPort = 0;
let pgsqlPort = 0;

function as(user: string, ...argv: readonly string[]): readonly [string, string[]] {
  return ["setpriv", ["--reuid", user, "--regid", user, "--clear-groups", ...argv]];
}

function serve(user: string, ...argv: readonly string[]): void {
  const [command, args] = as(user, ...argv);
  processes.push(spawn(command, args, { cwd: directory, stdio: "ignore" }));
}

beforeAll(async () => {
  redisPort = await closedPort();
  pgsqlPort = await closedPort();
  chmodSync(directory, 0o777);
  serveRedis();
  servePostgres();
  await until("redis answers", async () => (await runRedis()).ok, 10_000);
  await until("postgres answers", async () => (await runPgsql()).ok, 20_000);
}, 60_000);

afterAll(async () => {
  // Of PostgreSQL the signal that does not wait for clients.
  const ends = processes.map((process) => new Promise((resolve) => process.once("exit", resolve)));
  for (const process of processes) process.kill("SIGINT");
  await Promise.all(ends);
  rmSync(directory, { recursive: true });
  rmSync(certificates.directory, { recursive: true });
});

function serveRedis(): void {
  const user = ["--user", "probe", "on", ">pw-probe", "~*", "+ping", "+role", "+exists"];
  const memory = ["--save", "", "--appendonly", "no"];
  serve(
    "redis",
    "redis-server",
    "--bind",
    host,
    "--port",
    String(redisPort),
    "--requirepass",
    "pw-all",
    "--maxclients",
    "3",
    ...memory,
    ...user,
  );
}

function servePostgres(): void {
  const [version = ""] = readdirSync("/usr/lib/postgresql").toSorted((a, b) => Number(b) - Number(a));
  const bin = join("/usr/lib/postgresql", version, "bin");
  const data = join(directory, "data");
  const [command, args] = as("postgres", join(bin, "initdb"), "-D", data, "-A", "trust", "--no-sync");
  execFileSync(command, args, { cwd: directory, stdio: "ignore" });
  writeFileSync(join(data, "server.pem"), certificates.server.cert);
  // Of root, and readable by the group: what the server asks for.
  writeFileSync(join(data, "server.key"), certificates.server.key, { mode: 0o640 });
  execFileSync("chgrp", ["postgres", join(data, "server.key")]);
  const settings = [
    `listen_addresses = '${host}'`,
    `port = ${pgsqlPort}`,
    `unix_socket_directories = '${directory}'`,
    "ssl = on",
    "ssl_cert_file = 'server.pem'",
    "ssl_key_file = 'server.key'",
    "max_connections = 4",
    "superuser_reserved_connections = 1",
    "max_wal_senders = 0",
    "fsync = off",
  ];
  writeFileSync(join(data, "postgresql.auto.conf"), `${settings.join("\n")}\n`);
  writeFileSync(
    join(data, "pg_hba.conf"),
    "local all all trust\nhostssl all ann all scram-sha-256\nhost all md all md5\n",
  );
  serve("postgres", join(bin, "postgres"), "-D", data);
}

const all = { login: { password: { text: "pw-all" } } };
const runRedis = (more: Partial<RedisParameters> = all) =>
  probeOnce(redis, { type: "redis", host, port: redisPort, ...more });
const ann = { login: { user: "ann", password: { text: "pw-ann" } }, database: "postgres" };
const tls = {
  tls: { mode: "starttls" as const, verify: true, authorities: certificates.authority, serverName: "www.test" },
};
const runPgsql = (more: Partial<PgsqlParameters> = {}) =>
  probeOnce(pgsql, { type: "pgsql", host, port: pgsqlPort, ...more });

/** Ports of this side that wait for late packets. */
function waiting(port: number): number {
  const args = ["-tanH", "state", "time-wait", `dport = :${port}`];
  return execFileSync("ss", args, { encoding: "utf8" }).split("\n").filter(Boolean).length;
}

test("redis: logins, roles and keys; two hundred runs leave no port waiting", async () => {
  expect(await runRedis({ ...all, role: "master", absent: "maintenance" })).toEqual({
    ok: true,
    reason: `redis ${host}:${redisPort}: it is master`,
  });
  const probe = { login: { user: "probe", password: { text: "pw-probe" } } };
  expect(await runRedis({ ...probe, present: "ready" })).toMatchObject({
    ok: false,
    reason: `redis ${host}:${redisPort}: EXISTS: the key "ready" is not there`,
  });
  expect((await runRedis({})).reason).toMatch(/: PING: "-NOAUTH /);
  expect((await runRedis({ login: { password: { text: "wrong" } } })).reason).toMatch(/: AUTH: "-WRONGPASS /);
  for (let i = 0; i < 200; i++) expect(await runRedis()).toMatchObject({ ok: true });
  expect(waiting(redisPort)).toBe(0);
});

test("redis: too many clients", async () => {
  const clients = [1, 2, 3].map(() => connect({ host, port: redisPort }).on("error", () => {}));
  try {
    await until("there is no room", async () => !(await runRedis()).ok);
    expect((await runRedis()).reason).toMatch(/: "-ERR max number of clients reached"$/);
  } finally {
    for (const client of clients) client.destroy();
  }
  await until("there is room again", async () => (await runRedis()).ok);
});

test("postgres: SCRAM over TLS, MD5, queries, too many clients; no port is left waiting", async () => {
  const sql = [
    "CREATE ROLE ann LOGIN PASSWORD 'pw-ann'",
    "SET password_encryption = 'md5'; CREATE ROLE md LOGIN PASSWORD 'pw-md'",
  ];
  for (const statement of sql) {
    const [command, args] = as("postgres", "psql", "-qh", directory, "-p", String(pgsqlPort), "-c", statement);
    execFileSync(command, args, { cwd: directory, stdio: "ignore" });
  }
  const query = (row: string) => ({ query: { text: "SELECT pg_is_in_recovery()", row: [row] } });
  expect(await runPgsql({ ...ann, ...tls, ...query("f") })).toEqual({
    ok: true,
    reason: `pgsql ${host}:${pgsqlPort}: logged in over TLS, the query found "f"`,
  });
  expect((await runPgsql({ ...ann, ...tls, ...query("t") })).reason).toMatch(/: query: "f" instead of "t"$/);
  expect((await runPgsql(ann)).reason).toMatch(/: login: FATAL 28000 "no pg_hba.conf entry /);
  const md = { login: { user: "md", password: { text: "pw-md" } }, database: "postgres" };
  expect((await runPgsql(md)).reason).toBe(`pgsql ${host}:${pgsqlPort}: logged in`);
  expect((await runPgsql({ login: { user: "md" } })).reason).toBe(`pgsql ${host}:${pgsqlPort}: asks for a password`);
  for (let i = 0; i < 30; i++) expect(await runPgsql({ ...ann, ...tls })).toMatchObject({ ok: true });
  expect(waiting(pgsqlPort)).toBe(0);

  const [command, args] = as("postgres", "psql", "-h", directory, "-p", String(pgsqlPort), "-c", "SELECT pg_sleep(60)");
  const clients = [1, 2, 3, 4].map(() => spawn(command, args, { cwd: directory, stdio: "ignore" }));
  try {
    await until("there is no room", async () => !(await runPgsql(md)).ok);
    expect((await runPgsql(md)).reason).toMatch(/: login: FATAL 53300 "/);
    // It does not get so far as to notice.
    expect(await runPgsql()).toMatchObject({ ok: true });
  } finally {
    for (const client of clients) client.kill("SIGTERM");
  }
});
