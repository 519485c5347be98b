/** drain, undrain, weight and maintenance of servers against a daemon whose children are stand-ins. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { lvsParameters, virtualServer } from "../daemon/lvs-support.ts";
import { loaded, rig, until } from "../daemon/support.ts";
import { start, viprd } from "./support.ts";

/** Starting a program takes its time on a busy machine. */
const patience = 60_000;

async function daemon() {
  const result = loaded();
  if (!result.ok) throw new Error("no configuration");
  const lvs = lvsParameters(
    virtualServer("https", ["192.0.2.21:443", "192.0.2.22:443"]),
    virtualServer("http", ["192.0.2.21:80", "192.0.2.22:80"]),
  );
  const { supervisor, directory } = rig(() => ({ ...result, config: { ...result.config, lvs } }));
  await supervisor.start();
  const runtime = join(directory, "run");
  return (...words: readonly string[]) => viprd(...words, "--runtime-dir", runtime);
}

test(
  "a server is drained, weighed and put into maintenance, and back, each with what it is about",
  async () => {
    const run = await daemon();
    expect(await run("drain", "192.0.2.21", "--reason", "new kernel")).toMatchObject({
      code: 0,
      stdout: "192.0.2.21:443 of https: drain\n192.0.2.21:80 of http: drain\n",
    });
    expect(await run("drain", "192.0.2.22:443")).toMatchObject({
      code: 1,
      stdout: "",
      stderr:
        "https would have no server left that takes new connections: 192.0.2.21:443 is drained. With --force it is done all the same\n",
    });
    expect(await run("undrain", "192.0.2.21", "--service", "https")).toMatchObject({
      code: 1,
      stderr: "drain was said of 192.0.2.21: take it back for 192.0.2.21\n",
    });
    expect(await run("undrain", "192.0.2.21")).toMatchObject({
      code: 0,
      stdout: "192.0.2.21:443 of https: drain taken back\n192.0.2.21:80 of http: drain taken back\n",
    });
    expect(await run("undrain", "192.0.2.21")).toMatchObject({
      code: 0,
      stdout: "it is not drained: nothing to take back\n",
    });
    const weighed = await run("weight", "192.0.2.21", "50%", "--service", "http", "--for", "1h");
    expect(weighed.stdout).toMatch(/^192\.0\.2\.21:80 of http: weight 50% until 2\d{3}-.*Z\n$/);
    const repaired = await run("maintenance", "on", "--server", "192.0.2.21:80", "--json");
    expect(JSON.parse(repaired.stdout)).toMatchObject({ what: "maintenance", until: null });
  },
  patience,
);

test(
  "an unknown server is answered with what is near, wrong words with how they are used",
  async () => {
    const run = await daemon();
    expect(await run("drain", "192.0.2.23:443")).toMatchObject({
      code: 1,
      stderr: "no server 192.0.2.23:443; did you mean 192.0.2.21:443?\n",
    });
    const wrong = [
      ["weight", "192.0.2.21", "lots"],
      ["weight", "192.0.2.21", "65536"],
      ["weight", "192.0.2.21", "1001%"],
      ["maintenance", "on", "web", "--server", "192.0.2.21"],
      ["drain", "192.0.2.21", "--timeout", "10s"],
    ];
    for (const words of wrong) expect((await run(...words)).code, words.join(" ")).toBe(2);
  },
  patience,
);

test(
  "drain --wait gives up after its timeout and on Ctrl-C, and says that the drain stays in force",
  async () => {
    const result = loaded();
    if (!result.ok) throw new Error("no configuration");
    const lvs = lvsParameters(virtualServer("https", ["192.0.2.21:443", "192.0.2.22:443"]));
    // Without a checks process nothing is known of connections.
    const checksProgram = { file: "/nonexistent", arguments: [] };
    const { supervisor, directory } = rig(() => ({ ...result, config: { ...result.config, lvs } }), { checksProgram });
    await supervisor.start();
    const words = ["drain", "192.0.2.21:443", "--wait", "--runtime-dir", join(directory, "run")];
    const late = await viprd(...words, "--timeout", "1s");
    expect([late.code, late.stdout.split("\n")[0]]).toEqual([1, "192.0.2.21:443 of https: drain"]);
    expect(late.stderr).toMatch(
      / after 1 s; the drain stays in force: viprd undrain 192\.0\.2\.21:443 takes it back\n$/,
    );
    const { process, output, ended } = start(...words);
    await until(() => output.stdout.includes("drain\n"), "the answer", patience);
    process.kill("SIGINT");
    const interrupted = await ended;
    expect(interrupted.code).toBe(1);
    expect(interrupted.stderr).toContain("the drain stays in force");
  },
  patience,
);
