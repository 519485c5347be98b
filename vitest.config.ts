import { defineConfig } from "vitest/config";
import { machinePool } from "./test/vm/machine/pool.ts";

// Three projects: what anyone may run, what needs root and network namespaces, and what needs a kernel with IPVS.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "fast",
          // As in the bundle.
          alias: { yaml: new URL("node_modules/yaml/browser/index.js", import.meta.url).pathname },
          include: ["test/**/*.test.ts"],
          exclude: ["test/lab/**"],
          pool: "forks",
          // Generous: tests that start processes wait for conditions, and machines are shared.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "lab",
          include: ["test/lab/**/*.test.ts"],
          pool: "forks",
          // Scenarios mostly wait: many at once inside a file, few files at once.
          maxWorkers: 2,
          maxConcurrency: 6,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "vm",
          include: ["test/vm/**/*.vm.ts"],
          // Each file is a process inside the machine.
          pool: machinePool,
          maxWorkers: 2,
          maxConcurrency: 3,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
