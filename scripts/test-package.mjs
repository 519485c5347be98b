// Packs the project, installs the tarball with scripts switched off and runs it: what a user of the package gets.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "viprd-package-"));
try {
  const packed = run("npm", ["pack", "--silent", "--pack-destination", folder], root).trim().split("\n").at(-1);
  const files = run("tar", ["tzf", join(folder, packed)], folder).split("\n");
  for (const wanted of [
    "package/dist/main.js",
    // Loaded by its path: a thread of its own.
    "package/dist/healthchecks/custom-worker.js",
    "package/prebuilds/linux-x64/viprd.node",
    "package/prebuilds/linux-arm64/viprd.node",
    "package/conf/viprd.yaml",
    "package/conf/viprd.schema.json",
    "package/LICENSE",
  ]) {
    if (!files.includes(wanted)) fail(`${wanted} is missing in the package`);
  }
  for (const unwanted of files.filter((file) => /^package\/(test|bench|native|src|scripts)\//.test(file))) {
    fail(`${unwanted} does not belong in the package`);
  }
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  run("npm", ["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", join(folder, packed)], folder);
  const { scripts = {}, version } = JSON.parse(readFileSync(join(folder, "node_modules/viprd/package.json"), "utf8"));
  for (const name of ["preinstall", "install", "postinstall"]) {
    if (name in scripts) fail(`the package has a script "${name}"`);
  }
  const viprd = join(folder, "node_modules/.bin/viprd");
  const said = run(viprd, ["--version"], folder).trim();
  if (said !== version) fail(`viprd --version says ${said}, the package is ${version}`);
  const vrrp = "4500002000004000ff70d940c000020be0000012 31336401 006468fa c0000201".replaceAll(" ", "");
  const decoded = run(viprd, ["decode", "--json"], folder, `${vrrp}\n`);
  if (!decoded.includes('"vrid":51')) fail(`viprd decode says ${decoded}`);
  // The binary must load, not only lie there.
  run(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      'const { now } = await import("viprd/dist/socket/clock.js"); if (!(now() > 0)) process.exit(1);',
    ],
    folder,
  );
  console.log(`${packed}: ${files.length - 1} files, installs without scripts and runs`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(command, args, cwd, input = "") {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, input, encoding: "utf8" });
  if (status !== 0)
    fail(`${command} ${args.join(" ")}: ${error?.message ?? `exit code ${status}`}\n${stdout}${stderr}`);
  return stdout;
}

function fail(message) {
  console.error(message);
  rmSync(folder, { recursive: true, force: true });
  process.exit(1);
}
