import { type Loaded, type LoadOptions, loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problem.ts";

/** Loads the first of `texts`; the others are files that it may include. */
export function loadTexts(texts: Readonly<Record<string, string | Uint8Array>>, options: LoadOptions = {}): Loaded {
  return loadConfig(Object.keys(texts)[0] ?? "", {
    env: {},
    hostName: "lb1",
    readFile(path) {
      const text = Object.hasOwn(texts, path) ? texts[path] : undefined;
      if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return text;
    },
    listDirectory(directory) {
      const prefix = directory === "." ? "" : `${directory}/`;
      const below = Object.keys(texts).filter((path) => path.startsWith(prefix));
      if (below.length === 0) throw Object.assign(new Error("no such directory"), { code: "ENOENT" });
      return [...new Set(below.map((path) => path.slice(prefix.length).split("/")[0] ?? ""))];
    },
    ...options,
  });
}

/** The problems of one text, as they are printed. */
export function problemsOf(text: string | Uint8Array, options: LoadOptions = {}): string[] {
  return loadTexts({ "viprd.yaml": text }, options).problems.map(formatProblem);
}

/** A valid file with the given lines inside the only instance. */
export function instanceWith(...lines: readonly string[]): string {
  const base = ["interface: eth0", "virtual_router_id: 51", "virtual_ipaddress: [192.0.2.10/24]"];
  const given = lines.map((line) => line.split(":")[0]);
  const kept = base.filter((line) => !given.includes(line.split(":")[0] ?? ""));
  return `vrrp_instance:\n  web:\n${[...kept, ...lines].map((line) => `    ${line}\n`).join("")}`;
}
