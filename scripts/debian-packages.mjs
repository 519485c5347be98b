// Debian packages that tests need and that are missing are installed, and nothing is started by that.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/** A command, or a file by its whole path. */
function present(command) {
  if (command.startsWith("/")) return existsSync(command);
  return ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].some((directory) =>
    existsSync(`${directory}/${command}`),
  );
}

export function run(command, args, options = {}) {
  const { environment = {}, ...rest } = options;
  const { status, error } = spawnSync(command, args, {
    stdio: "inherit",
    env: { ...process.env, ...environment },
    ...rest,
  });
  if (error !== undefined) throw new Error(`${command} ${args.join(" ")}: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed`);
}

export function debianRelease() {
  return existsSync("/etc/debian_version") ? readFileSync("/etc/debian_version", "utf8").trim() : undefined;
}

/** `packages`: what each package brings, by its name. `daemons`: units that must not start with the machine. */
export function install(packages, daemons) {
  const missing = Object.entries(packages)
    .filter(([, commands]) => !commands.every(present))
    .map(([name]) => name);
  if (missing.length === 0) return missing;
  const list = missing.join(" ");
  if (debianRelease() === undefined)
    throw new Error(`missing: ${list}. This is no Debian: install them with your package manager.`);
  if (process.getuid?.() !== 0) throw new Error(`missing: ${list}. Run as root: apt-get install ${list}`);
  // A package that brings a daemon must not start it: this machine may be in use.
  const policy = "/usr/sbin/policy-rc.d";
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    run("apt-get", ["-qq", "update"]);
    run("apt-get", ["-qq", "install", "-y", "--no-install-recommends", ...missing], {
      environment: { DEBIAN_FRONTEND: "noninteractive" },
    });
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
  // With systemd the unit is enabled even when it was not started; nothing may take part in elections by accident.
  for (const daemon of daemons) {
    if (missing.includes(daemon) && existsSync("/run/systemd/system"))
      spawnSync("systemctl", ["disable", "--now", `${daemon}.service`], { stdio: "ignore" });
  }
  return missing;
}
