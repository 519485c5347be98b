#!/usr/bin/env node
// The processes of the daemon take paths of their own: they have to be up at once and small, so nothing of the command
// line is loaded.
const role = process.argv[2] === "internal" ? process.argv[3] : undefined;
if (role === "vrrp") {
  const { runVrrpRole } = await import("./daemon/vrrp-role.ts");
  runVrrpRole(process.argv[4]);
} else if (role === "checks") {
  const { runChecksRole } = await import("./daemon/checks-role.ts");
  runChecksRole(process.argv[4]);
} else {
  const { fileURLToPath } = await import("node:url");
  const { runCommandLine } = await import("./cli/command-line.ts");
  await runCommandLine(process.argv.slice(2), fileURLToPath(import.meta.url));
}
