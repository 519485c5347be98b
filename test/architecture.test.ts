/** The table of folders, the purity of the core, and the size of files: a change that breaks one of them fails here. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "src");

/** In the order of the floors: no import runs back up. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  socket: ["wire"],
  scripts: ["wire", "socket"],
  netlink: ["wire", "socket"],
  vrrp: ["wire", "netlink", "socket"],
  // Interfaces and routes are asked from the kernel.
  healthchecks: ["wire", "socket", "scripts", "netlink"],
  // Error numbers, kernel settings and interface indexes.
  lvs: ["wire", "socket", "netlink"],
  config: ["wire"],
  daemon: ["wire", "socket", "scripts", "netlink", "vrrp", "healthchecks", "lvs", "config"],
  cli: ["config"],
  "main.ts": ["cli"],
};

/** Single files and types across the table, each with what it is for. */
const alsoAllowed: readonly { readonly from: RegExp; readonly to: RegExp; readonly types?: true }[] = [
  // The configuration produces what the domains consume.
  { from: /^config\//, to: /^(vrrp|healthchecks|lvs)\/(parameters|limits)\.ts$/ },
  { from: /^config\//, to: /^(vrrp|healthchecks|lvs)\//, types: true },
  // How a command is written is one thing, wherever it stands.
  { from: /^config\//, to: /^scripts\/command\.ts$/ },
  // Worst-case failover times come from the protocol's own formulas.
  { from: /^config\/failover\.ts$/, to: /^vrrp\/timing\.ts$/ },
  // The command line shows what the daemon says, and `run` starts it.
  { from: /^cli\//, to: /^(daemon|vrrp|lvs|healthchecks)\//, types: true },
  { from: /^cli\/run\.ts$/, to: /^daemon\// },
  { from: /^cli\//, to: /^daemon\/(paths|control-client)\.ts$/ },
  // An event is told in the same words in the log and on the screen.
  { from: /^cli\/render-event\.ts$/, to: /^daemon\/log-(lvs-)?event\.ts$/ },
  // `decode` uses the codecs.
  { from: /^cli\/decode/, to: /^(wire\/.*|vrrp\/(advertisement|reception|datagram|hmac-trailer|utc))\.ts$/ },
  { from: /^main\.ts$/, to: /^daemon\// },
];

/** Files that touch the world outside: sockets, timers, the clock, the file system. */
const shellFolders = ["socket", "scripts", "healthchecks", "daemon", "cli", "main.ts"];
/** What decides in a folder of shells. */
const pureFiles = new Set(["healthchecks/health.ts", "healthchecks/parameters.ts", "healthchecks/status.ts"]);
const shellFiles = new Set([
  "netlink/aside.ts",
  "netlink/connection.ts",
  "netlink/watch.ts",
  "netlink/transport.ts",
  "vrrp/engine.ts",
  "vrrp/kernel-routing.ts",
  "vrrp/channels.ts",
  "vrrp/transport.ts",
  "vrrp/filter.ts",
  "netlink/nftables-client.ts",
  // Requests that the kernel sleeps over, on a socket of their own.
  "vrrp/link-requests.ts",
  // Kernel settings are files, and so is the note of those that were changed.
  "vrrp/settings.ts",
  "vrrp/settings-note.ts",
  "vrrp/rehearsal.ts",
  "vrrp/address-claims.ts",
  // Looks at intervals.
  "lvs/lvs-host.ts",
  // Kernel settings and modules are files, and so is the note of what was changed.
  "lvs/host-facts.ts",
  "lvs/surroundings.ts",
  "lvs/sysctl-store.ts",
  "lvs/lvs-note.ts",
  "config/load.ts",
  "config/recall.ts",
  "lvs/ipvs.ts",
  // The table as text, and what modules there are.
  "lvs/proc-table.ts",
  // Time comes in as an argument below these.
  "lvs/balancer.ts",
  "lvs/balancer-clock.ts",
  "lvs/news.ts",
  "lvs/note-file.ts",
]);
const impure = new RegExp(
  [
    "\\b(Date|performance|setTimeout|setInterval|setImmediate|queueMicrotask|console)\\b",
    "\\bMath\\.random\\b",
    "(?<!\\.)\\bprocess\\.(env|argv|exit|exitCode|on|once|emit\\w*|hrtime|nextTick|pid|cwd|uptime|std\\w+|kill|send)\\b",
  ].join("|"),
);
/** Computes, and looks at nothing. */
const pureModules = ["node:path"];
/** Keyed hashes compute as well; the rest of the module does not. */
const pureIn: Readonly<Record<string, readonly string[]>> = {
  "vrrp/hmac-trailer.ts": ["node:crypto"],
  "lvs/digest.ts": ["node:crypto"],
  "wire/radius.ts": ["node:crypto"],
};

/** Each with the reason why it is not taken apart. */
const longFiles: Readonly<Record<string, string>> = {};

interface Import {
  /** Relative to src, or the name of a package. */
  readonly target: string;
  readonly local: boolean;
  readonly typesOnly: boolean;
}

interface Source {
  readonly file: string;
  readonly lines: number;
  readonly code: string;
  readonly imports: readonly Import[];
}

function read(file: string): Source {
  const text = readFileSync(join(root, file), "utf8");
  const code = withoutComments(text);
  const imports = [...code.matchAll(/^(?:import|export)\s+(type\s)?([^"';]*?)from\s+"([^"]+)"/gm)].map(
    ([, type, names = "", path = ""]) => {
      const local = path.startsWith(".");
      const values = names
        .replace(/[{}]/g, "")
        .split(",")
        .filter((name) => name.trim() !== "" && !/^\s*type\s/.test(name));
      return {
        target: local ? normalize(join(dirname(file), path)) : path,
        local,
        typesOnly: type !== undefined || values.length === 0,
      };
    },
  );
  return { file, lines: text.split("\n").length - 1, code, imports };
}

/** Strings stay: an import is recognised by its path. Good enough for our own formatted sources. */
function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

function withoutStrings(code: string): string {
  return code.replace(/"(?:[^"\\\n]|\\.)*"|`[^`]*`/g, '""');
}

function folderOf(file: string): string {
  return file.split("/")[0] ?? "";
}

function isShell(file: string): boolean {
  return (shellFolders.includes(folderOf(file)) && !pureFiles.has(file)) || shellFiles.has(file);
}

const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .sort()
  .map(read);
const byName = new Map(sources.map((source) => [source.file, source]));

test("every folder has its place in the table", () => {
  const folders = new Set(sources.map(({ file }) => folderOf(file)));
  expect([...folders].filter((folder) => mayImport[folder] === undefined)).toEqual([]);
});

describe("a file imports only what its folder may", () => {
  test.each(sources)("$file", ({ file, imports }) => {
    const folder = folderOf(file);
    const wrong = imports.filter(({ target, local, typesOnly }) => {
      if (!local || folderOf(target) === folder || mayImport[folder]?.includes(folderOf(target))) return false;
      return !alsoAllowed.some(({ from, to, types }) => from.test(file) && to.test(target) && (!types || typesOnly));
    });
    expect(wrong.map(({ target }) => target)).toEqual([]);
  });
});

test("every import names a file that exists", () => {
  const missing = sources.flatMap(({ file, imports }) =>
    imports.filter(({ local, target }) => local && !byName.has(target)).map(({ target }) => `${file} → ${target}`),
  );
  expect(missing).toEqual([]);
});

test("no two files import each other, over however many others; types count for nothing", () => {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    const at = path.indexOf(file);
    if (at >= 0) cycles.push([...path.slice(at), file].join(" → "));
    if (at >= 0 || done.has(file)) return;
    for (const { target, local, typesOnly } of byName.get(file)?.imports ?? []) {
      if (local && !typesOnly) visit(target, [...path, file]);
    }
    done.add(file);
  };
  for (const { file } of sources) visit(file, []);
  expect(cycles).toEqual([]);
});

describe("the core is pure", () => {
  test.each(sources.filter(({ file }) => !isShell(file)))("$file", ({ file, code, imports }) => {
    const allowed = [...pureModules, ...(pureIn[file] ?? [])];
    expect(
      imports.filter(({ target, local }) => !local && target.startsWith("node:") && !allowed.includes(target)),
    ).toEqual([]);
    expect(withoutStrings(code).match(impure)?.[0]).toBeUndefined();
    // Nor by way of a shell; its types are no contact with the world.
    const shells = imports.filter(
      ({ target, local, typesOnly }) => local && !typesOnly && isShell(target) && !isPureInShell(target),
    );
    expect(shells.map(({ target }) => target)).toEqual([]);
  });
});

/** Tables and small codecs that happen to live in a shell folder. */
function isPureInShell(file: string): boolean {
  const source = byName.get(file);
  if (source === undefined || shellFiles.has(file)) return false;
  return (
    !impure.test(withoutStrings(source.code)) &&
    source.imports.every(({ target, local }) => local && isPureInShell(target))
  );
}

describe("what is loaded in the process that holds the addresses", () => {
  const allowed = /^node:/;
  test.each(sources.filter(({ file }) => /^(wire|socket|netlink|vrrp)\//.test(file)))(
    "$file: no package but Node's own modules",
    ({ imports }) => {
      expect(
        imports.filter(({ target, local }) => !local && !allowed.test(target)).map(({ target }) => target),
      ).toEqual([]);
    },
  );
});

test("nothing that starts programs is loaded in the process that holds the addresses", () => {
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { target, local, typesOnly } of byName.get(file)?.imports ?? []) if (local && !typesOnly) visit(target);
  };
  visit("daemon/vrrp-role.ts");
  expect(seen.has("vrrp/engine.ts")).toBe(true);
  expect([...seen].filter((file) => /^(scripts|config)\//.test(file))).toEqual([]);
});

test("no file is longer than 300 lines", () => {
  const long = sources.filter(({ file, lines }) => lines > 300 && longFiles[file] === undefined);
  expect(long.map(({ file, lines }) => `${file}: ${lines}`)).toEqual([]);
});

test("no default exports and no barrels", () => {
  const wrong = sources.filter(({ code }) => /^export default\b|^export \* from/m.test(code));
  expect(wrong.map(({ file }) => file)).toEqual([]);
});

test("requirement numbers stay out of the sources", () => {
  const wrong = sources.filter(({ file }) => /\b[VS]-\d{2,3}[A-C]?\b/.test(readFileSync(join(root, file), "utf8")));
  expect(wrong.map(({ file }) => file)).toEqual([]);
});
