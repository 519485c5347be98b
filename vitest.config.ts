import { defineConfig } from "vitest/config";

// Two projects: what anyone may run, and what needs root and network namespaces.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "fast",
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
    ],
  },
});
