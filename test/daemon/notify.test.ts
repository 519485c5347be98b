/** Through the whole supervisor, with a stand-in for the VRRP process: who is told what in the life of a daemon. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import type { NotifySubject } from "../../src/config/notify.ts";
import type { LoadResult } from "../../src/daemon/configuration.ts";
import type { StatusDocument } from "../../src/daemon/status.ts";
import { get, loaded, type Rig, rig, temporaryDirectory, until } from "./support.ts";

const patience = 20_000;

interface Scene extends Rig {
  /** Lines that the scripts wrote. */
  lines(): string[];
  configure(...names: readonly string[]): void;
}

/** Every instance has a script that writes its arguments, the state before and the reason. */
function scene(changes: Parameters<typeof rig>[1] = {}): Scene {
  const file = join(temporaryDirectory(), "told");
  let result: LoadResult = loaded();
  const running = rig(() => result, changes);
  return {
    ...running,
    lines: () => (existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : []),
    configure(...names) {
      const plain = loaded(...names);
      if (!plain.ok) throw new Error("a plain configuration");
      const subjects = names.map((name) => scriptFor(name, file));
      const global = { ...plain.config.global, scriptUser: `${process.getuid?.()}`, scriptSecurity: false };
      result = { ...plain, config: { ...plain.config, global, notify: { subjects, fifos: [] } } satisfies Config };
    },
  };
}

function scriptFor(name: string, file: string): NotifySubject {
  const hang = name === "hangs" ? '[ "$3" = STOP ] && exec sleep 1000;' : "";
  const script = `${hang} echo "$* from $VIPRD_FROM: $VIPRD_REASON" >> ${file}`;
  const place = { file: "test.yaml", line: 1, column: 1, path: name };
  const notify = { argv: ["/bin/sh", "-c", script, "sh"] as const, timeout: patience, place };
  return { kind: "instance", name, commands: { notify }, webhooks: [] };
}

test("start and stop are told once each, the end before the daemon is gone", async () => {
  const { supervisor, lines, configure } = scene();
  configure("web");
  await supervisor.start();
  await until(() => lines().length === 1, "the start", patience);
  await supervisor.stop("test");
  expect(lines()).toEqual([
    "INSTANCE web BACKUP 100 from initialize: started",
    "INSTANCE web STOP 100 from backup: viprd is stopping",
  ]);
});

test("an instance that a reload removes is told to stop; those that stay are told nothing", async () => {
  const { supervisor, lines, configure } = scene();
  configure("web", "mail");
  await supervisor.start();
  await until(() => lines().length === 2, "the start", patience);
  configure("web");
  await supervisor.reload();
  await until(() => lines().length === 3, "the end of one", patience);
  configure("web", "mail");
  await supervisor.reload();
  await until(() => lines().length === 4, "its return", patience);
  await supervisor.stop("test");
  expect(lines().slice(2, 4)).toEqual([
    "INSTANCE mail STOP 100 from backup: removed from the configuration",
    "INSTANCE mail BACKUP 100 from initialize: started",
  ]);
  expect(lines().slice(4).sort()).toEqual([
    "INSTANCE mail STOP 100 from backup: viprd is stopping",
    "INSTANCE web STOP 100 from backup: viprd is stopping",
  ]);
});

test("the death of the VRRP process is a fault, told with its reason, in the events too; its return is told as well", async () => {
  const { supervisor, lines, configure, socket, log } = scene({ vrrp: { restartDelay: () => 300 } });
  configure("dies-soon");
  await supervisor.start();
  await until(() => lines().length >= 3, "death and return", patience);
  const name = "INSTANCE dies-soon";
  expect(lines().slice(0, 3)).toEqual([
    `${name} BACKUP 100 from initialize: started`,
    `${name} FAULT 100 from backup: the vrrp process was killed by SIGKILL`,
    `${name} BACKUP 100 from initialize: started`,
  ]);
  expect(log.lines).toContain("info dies-soon: backup → initialize: the vrrp process was killed by SIGKILL");
  const { notify } = JSON.parse((await get(socket, "/v1/status")).body) as StatusDocument;
  expect(notify.subjects[0]).toMatchObject({ name: "dies-soon", failures: 0, skipped: 0 });
});

test("a stop whose VRRP process had to be killed is told all the same", async () => {
  const { supervisor, lines, configure } = scene({ stopLimit: 100 });
  configure("stubborn");
  await supervisor.start();
  await until(() => lines().length === 1, "the start", patience);
  expect(await supervisor.stop("test")).toBe(false);
  expect(lines().at(-1)).toBe("INSTANCE stubborn STOP 100 from backup: viprd is stopping");
});

test("a script that never ends does not keep the daemon from ending", async () => {
  const { supervisor, configure, lines, log } = scene({ notifyLimit: 200 });
  configure("hangs");
  await supervisor.start();
  await until(() => lines().length === 1, "the start", patience);
  const begun = performance.now();
  await supervisor.stop("test");
  expect(performance.now() - begun).toBeLessThan(5000);
  expect(lines()).toHaveLength(1);
  expect(log.lines.at(-2)).toMatch(/^error hangs: notify \(STOP\): .* was ended, as it is not wanted any more$/);
});
