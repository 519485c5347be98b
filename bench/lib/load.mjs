// Busy loops, bounded in processor time by the kernel should this process die.
import { spawn } from "node:child_process";
import { cpus } from "node:os";

const living = new Set();
process.on("exit", stopAll);

/** `perCore` busy loops for each processor; returns what ends them. */
export function busyLoops(perCore, limit) {
  const started = [];
  for (let i = 0; i < perCore * cpus().length; i++) {
    const child = spawn("sh", ["-c", `ulimit -t ${Math.ceil(limit / 1000)}; while :; do :; done`], { stdio: "ignore" });
    living.add(child);
    started.push(child);
  }
  return () => {
    for (const child of started) end(child);
  };
}

function end(child) {
  if (living.delete(child)) child.kill("SIGKILL");
}

function stopAll() {
  for (const child of living) end(child);
}
