import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { dieWithParent, lockMemory, schedulingOf, setRealtime, setSessionNice } from "../../src/socket/scheduling.ts";
import { addonPath, asNobody, runWithAddon, until } from "./support.ts";

test("scheduling is told for every thread", () => {
  const threads = schedulingOf();
  expect(threads.length).toBeGreaterThan(4);
  expect(threads[0]).toMatchObject({ policy: "other", priority: 0 });
});

test("the real-time class without privilege is refused with the capability that is missing", () => {
  expect(() => asNobody(() => setRealtime(50))).toThrow("set real-time priority 50: EPERM (needs CAP_SYS_NICE)");
});

test("a priority outside the class is refused by the kernel", () => {
  expect(() => setRealtime(100)).toThrow("set real-time priority 100: EINVAL");
});

test("the nice value of a session is set where there is a session, and nowhere else", () => {
  const directory = mkdtempSync(join(tmpdir(), "viprd-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "autogroup");
  setSessionNice(-5, file);
  // What the root group shows; the kernel refuses to write there.
  writeFileSync(file, "");
  setSessionNice(-5, file);
  expect(readFileSync(file, "utf8")).toBe("");
  writeFileSync(file, "/autogroup-7 nice 0\n");
  setSessionNice(-5, file);
  expect(readFileSync(file, "utf8")).toBe("-5");
});

test("a refusal by the kernel names what was tried", () => {
  const readOnly = "/proc/sys/kernel/ostype";
  expect(() => setSessionNice(-5, readOnly)).toThrow("set nice value -5 of the session: EACCES (needs CAP_SYS_NICE)");
});

test("memory locking without privilege is refused with what is missing", () => {
  // The limit of 8 MB that unprivileged processes have is too small for Node's text alone.
  if (/Max locked memory\s+unlimited/.test(readFileSync("/proc/self/limits", "utf8"))) return;
  expect(() => asNobody(lockMemory)).toThrow("lock memory: EPERM (needs CAP_IPC_LOCK or a larger RLIMIT_MEMLOCK)");
});

test("a signal at the parent's death can be asked for and given up", () => {
  dieWithParent(15);
  dieWithParent(0);
  expect(() => dieWithParent(1000)).toThrow("ask for signal 1000 at the parent's death: EINVAL");
});

test("a child that asked for it dies with its parent", async () => {
  const child = `const native = require(${JSON.stringify(addonPath)}); native.control(1, 9, 0); setInterval(() => {}, 1000); process.send("ready");`;
  const { stdout } = runWithAddon(`
    const child = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}], {
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    child.on("message", () => { console.log(child.pid); process.exit(); });
  `);
  const pid = Number(stdout);
  expect(pid).toBeGreaterThan(1);
  // Without an init that collects orphans a dead one stays behind as a zombie.
  const alive = () => {
    try {
      return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false; // no such process
    }
  };
  await until(() => !alive(), "the child's death");
});

test.skipIf(process.getuid?.() !== 0)(
  "a child started without inheritance has no capabilities, no class and no nice value of its parent, which keeps its own",
  () => {
    const module = fileURLToPath(new URL("../../src/socket/scheduling.ts", import.meta.url));
    // CAP_NET_RAW and CAP_SYS_NICE: inheritable first (capset is not at hand, setpriv is), then ambient.
    const script = `
      import { spawnSync } from "node:child_process";
      import { inheritNothing, schedulingOf, setRealtime } from ${JSON.stringify(module.replace(/src\/socket\/scheduling\.ts$/, "dist/socket/scheduling.js"))};
      setRealtime(7);
      const look = () => spawnSync("/bin/sh", ["-c", "grep CapAmb /proc/self/status; cut -d' ' -f18,19,40,41 /proc/self/stat"], { encoding: "utf8" }).stdout;
      console.log(JSON.stringify([look(), inheritNothing(look), look(), schedulingOf()[0].policy]));
    `;
    const { stdout, stderr, status } = spawnSync(
      "setpriv",
      ["--inh-caps", "+net_raw", "--ambient-caps", "+net_raw", process.execPath, "--input-type=module", "-e", script],
      { encoding: "utf8", timeout: 15_000 },
    );
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    const [before, inside, after, policy] = JSON.parse(stdout) as string[];
    const netRaw = "CapAmb:\t0000000000002000\n";
    // Whoever runs the tests may be nicer than others, or less so.
    expect(before).toMatch(new RegExp(`^${netRaw}-8 -?\\d+ 7 2\n$`));
    expect(inside).toMatch(/^CapAmb:\t0{16}\n[23]\d \d+ 0 0\n$/);
    expect(after).toBe(before);
    expect(policy).toBe("rr");
  },
);
