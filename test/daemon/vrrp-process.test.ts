import { expect, test } from "vitest";
import type { LoadResult } from "../../src/daemon/configuration.ts";
import type { StatusDocument } from "../../src/daemon/status.ts";
import { get, loaded, rig, until } from "./support.ts";

async function statusOf(socket: string): Promise<StatusDocument> {
  const { body, status } = await get(socket, "/v1/status");
  if (status !== 200) throw new Error(body);
  return JSON.parse(body) as StatusDocument;
}

/** The restart policy with a hundredth of its delays. */
const hasty = { vrrp: { restartDelay: (previous: number | undefined) => (previous === undefined ? 0 : 20) } };

test("a child that was killed is started again and told everything again", async () => {
  const { supervisor, socket, log, received } = rig(() => loaded("web"), hasty);
  await supervisor.start();
  await until(async () => (await statusOf(socket)).processes.vrrp.state === "running", "a running child");
  const { pid } = (await statusOf(socket)).processes.vrrp;
  if (pid === null) throw new Error("a running child has a pid");
  process.kill(pid, "SIGKILL");
  await until(async () => (await statusOf(socket)).processes.vrrp.restarts === 1, "the restart");
  await until(async () => (await statusOf(socket)).instances[0]?.state === "backup", "the second child");
  expect((await statusOf(socket)).processes.vrrp).toMatchObject({
    state: "running",
    restarts: 1,
    last_end: "was killed by SIGKILL",
  });
  expect(log.lines).toContain("error the vrrp process was killed by SIGKILL; it is started again at once");
  expect(received().filter(({ type }) => type === "configure").length).toBe(2);
});

test("a child that dies at start is started with delays; the status says so meanwhile", async () => {
  const { supervisor, socket, log } = rig(() => loaded("dies-at-start"), {
    vrrp: { restartDelay: (previous) => (previous === undefined ? 0 : 60_000) },
  });
  await supervisor.start();
  await until(async () => (await statusOf(socket)).processes.vrrp.state === "restarting", "the second death");
  const status = await statusOf(socket);
  expect(status.instances[0]).toMatchObject({ state: "initialize", reasons: ["the vrrp process is restarting"] });
  expect(log.lines).toContain("error the vrrp process ended with exit code 7; it is started again in 60 s");
  expect((await get(socket, "/readyz")).status).toBe(503);
  // Nothing is left to wait for.
  const before = performance.now();
  expect(await supervisor.stop("test")).toBe(true);
  expect(performance.now() - before).toBeLessThan(1000);
});

test("a reload reaches a child that is waiting to be started again", async () => {
  let file: LoadResult = loaded("dies-at-start");
  const { supervisor, socket } = rig(() => file, hasty);
  await supervisor.start();
  await until(async () => (await statusOf(socket)).processes.vrrp.restarts > 2, "some deaths");
  file = loaded("web");
  await supervisor.reload();
  await until(async () => (await statusOf(socket)).processes.vrrp.state === "running", "a running child");
  expect((await statusOf(socket)).instances.map(({ name }) => name)).toEqual(["web"]);
});

test("a child is stopped with its last instance and started with the next first one", async () => {
  let file: LoadResult = loaded("web");
  const { supervisor, socket } = rig(() => file);
  await supervisor.start();
  await until(async () => (await statusOf(socket)).processes.vrrp.state === "running", "a running child");
  file = loaded();
  await supervisor.reload();
  file = loaded("inside");
  // The old child is on its way out: the new one waits for its end.
  await supervisor.reload();
  await until(async () => (await statusOf(socket)).instances[0]?.state === "backup", "the new child");
  expect((await statusOf(socket)).processes.vrrp).toMatchObject({ restarts: 0, last_end: "ended with exit code 0" });
});

test("a question that is not answered ends with a reason, and the next ones are not piled up", async () => {
  const { supervisor, socket } = rig(() => loaded("mute"), { vrrp: { statusLimit: 100 } });
  await supervisor.start();
  await until(async () => (await get(socket, "/readyz")).status === 200, "a running child");
  const answers = await Promise.all(Array.from({ length: 50 }, () => get(socket, "/v1/status")));
  expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(
    new Set([
      '504 {"error":"the vrrp process did not answer within 0.1 s"}',
      '504 {"error":"the vrrp process has 32 status requests to answer already"}',
    ]),
  );
});

test("a child that stands still does not hold up reloads, questions or the stop", async () => {
  let file: LoadResult = loaded("freezes");
  const { supervisor, socket, log } = rig(() => file, { vrrp: { statusLimit: 100 }, stopLimit: 200 });
  await supervisor.start();
  await until(async () => (await get(socket, "/readyz")).status === 200, "a running child");
  await until(async () => (await get(socket, "/v1/status")).status === 504, "a frozen child");
  for (let i = 0; i < 20; i++) {
    file = loaded("freezes", ...Array.from({ length: 50 }, (_, n) => `i${i}-${n}`));
    const before = performance.now();
    await supervisor.reload();
    expect(performance.now() - before).toBeLessThan(500);
  }
  expect(await supervisor.stop("test")).toBe(false);
  expect(log.lines.at(-1)).toBe("info stopped");
});

test("signals to reload during a reload lead to one more, not to many", async () => {
  let loads = 0;
  const { supervisor } = rig(async () => {
    loads += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return loaded("web");
  });
  await supervisor.start();
  await Promise.all(Array.from({ length: 10 }, () => supervisor.reload()));
  expect(loads).toBe(3);
});

test("a reader that throws is a refused reload", async () => {
  let broken = false;
  const { supervisor, socket } = rig(() => {
    if (broken) throw new Error("out of luck");
    return loaded("web");
  });
  await supervisor.start();
  broken = true;
  await supervisor.reload();
  expect((await statusOf(socket)).config.reload).toMatchObject({ ok: false, problems: ["out of luck"] });
});

test("a child that hangs is killed and replaced", async () => {
  let file: LoadResult = loaded("freezes");
  const { supervisor, socket, log } = rig(() => file, { vrrp: { statusLimit: 50, heartbeat: 60 } });
  await supervisor.start();
  await until(async () => (await get(socket, "/readyz")).status === 200, "a running child");
  file = loaded("web");
  await supervisor.reload();
  await until(() => log.lines.some((line) => line.includes("does not answer any more and is killed")), "the kill");
  await until(async () => (await get(socket, "/readyz")).status === 200, "the next child");
  await until(async () => (await statusOf(socket)).instances[0]?.name === "web", "its answer");
});

test("a child that can never run here is not started again: the daemon is told to end", async () => {
  const { supervisor, log, received } = rig(() => loaded("may-not-run"));
  await supervisor.start();
  await until(() => log.lines.includes("hopeless: the vrrp process cannot run here"), "the end");
  expect(log.lines).toContain("error cannot run without CAP_NET_RAW");
  expect(received().filter(({ type }) => type === "start").length).toBe(1);
});
