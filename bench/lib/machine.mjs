// A virtual machine with a kernel that has IPVS, the one of the tests, for programs of the bench.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("../../", import.meta.url));
const sources = join(root, "test/vm/machine");
const compiled = join(root, ".cache/vm/bench");

async function loadMachine() {
  mkdirSync(compiled, { recursive: true });
  const bundle = await rolldown({
    input: join(sources, "machine.ts"),
    platform: "node",
    external: ["rolldown"],
    // It looks for its neighbours.
    transform: { define: { "import.meta.dirname": JSON.stringify(sources) } },
  });
  const file = join(compiled, "machine.mjs");
  await bundle.write({ file, format: "esm" });
  await bundle.close();
  return import(file);
}

/**
 * Boots one, runs a program of bench/tools inside, as a child that has process.send, and ends both. `take` gets each of
 * its messages. Rejects when the program fails, with what it said.
 */
export async function inMachine(tool, args, take) {
  const { Machine } = await loadMachine();
  const machine = await Machine.boot();
  const end = () => machine.stop();
  process.on("exit", end);
  try {
    await new Promise((resolve, reject) => {
      let said = "";
      machine.listen(1, (report) => {
        if (report.kind === "message") take(report.data);
        else if (report.kind === "output") said = (said + report.text).slice(-5000);
        else if (report.kind === "exit" && report.code === 0) resolve();
        else if (report.kind === "exit")
          reject(new Error(`${tool} in the machine: ${report.signal ?? report.code}\n${said}${machine.ended ?? ""}`));
      });
      const env = { ...process.env, VIPRD_BENCH_ARGS: JSON.stringify(args) };
      machine.send({ kind: "start", id: 1, file: join(root, "bench/tools", tool), execArgv: [], env, cwd: root });
    });
    return machine.accelerator;
  } finally {
    process.off("exit", end);
    await machine.stop();
  }
}
