#!/usr/bin/env node
// The VRRP process takes a path of its own: it has to be up at once and small, so nothing of the command line is loaded.
if (process.argv[2] === "internal" && process.argv[3] === "vrrp") {
  const { runVrrpRole } = await import("./daemon/vrrp-role.ts");
  runVrrpRole();
} else {
  const { fileURLToPath } = await import("node:url");
  const { runCommandLine } = await import("./cli/command-line.ts");
  await runCommandLine(process.argv.slice(2), fileURLToPath(import.meta.url));
}
