// Installs the Debian packages that the lab tests need and that are missing. Quick when everything is there.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const packages = {
  keepalived: ["keepalived"],
  frr: ["/usr/lib/frr/vrrpd"],
  tcpdump: ["tcpdump"],
  tshark: ["tshark"],
  nftables: ["nft"],
  iproute2: ["ip", "bridge"],
  "iputils-ping": ["ping"],
  "util-linux": ["nsenter"],
  // The package brings a binary for arm64 as well.
  "gcc-aarch64-linux-gnu": ["aarch64-linux-gnu-gcc"],
  "libc6-dev-arm64-cross": ["/usr/aarch64-linux-gnu/include/stdio.h"],
};

/** A command, or a file by its whole path. */
function present(command) {
  if (command.startsWith("/")) return existsSync(command);
  return ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].some((directory) =>
    existsSync(`${directory}/${command}`),
  );
}

function fail(text) {
  process.stderr.write(`lab-tools: ${text}\n`);
  process.exit(1);
}

function run(command, args, environment = {}) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", env: { ...process.env, ...environment } });
  if (error !== undefined || status !== 0) fail(`${command} ${args.join(" ")} failed`);
}

const missing = Object.entries(packages)
  .filter(([, commands]) => !commands.every(present))
  .map(([name]) => name);

if (missing.length > 0) {
  const list = missing.join(" ");
  if (!existsSync("/etc/debian_version"))
    fail(`missing: ${list}. This is no Debian: install them with your package manager.`);
  if (process.getuid?.() !== 0) fail(`missing: ${list}. Run as root: apt-get install ${list}`);
  // A package that brings a daemon must not start it: this machine may be in use.
  const policy = "/usr/sbin/policy-rc.d";
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    run("apt-get", ["-qq", "update"]);
    run("apt-get", ["-qq", "install", "-y", "--no-install-recommends", ...missing], {
      DEBIAN_FRONTEND: "noninteractive",
    });
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
  // With systemd the unit is enabled even when it was not started; nothing may take part in elections by accident.
  for (const daemon of ["keepalived", "frr"]) {
    if (missing.includes(daemon) && existsSync("/run/systemd/system"))
      spawnSync("systemctl", ["disable", "--now", `${daemon}.service`], { stdio: "ignore" });
  }
}

const release = existsSync("/etc/debian_version") ? readFileSync("/etc/debian_version", "utf8").trim() : "unknown";
process.stdout.write(`lab-tools: all there (Debian ${release}, ${missing.length} installed)\n`);
