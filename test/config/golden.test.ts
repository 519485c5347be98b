/**
 * Each file of test/golden/config is a configuration, a dashed line, and what comes out: the resolved values as JSON, or the
 * exact problems. A "=== NAME" line begins a further file of the case. `UPDATE=1` rewrites what comes out; review the diff.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { formatProblem } from "../../src/config/problem.ts";
import { loadTexts } from "./support.ts";

const folder = new URL("../golden/config/", import.meta.url);
const separator = "----------\n";
/** What `${NAME}` is in every case. */
const env = { PRIORITY: "150", VIP: "192.0.2.10/24", SECRET: "hunter22", EMPTY: "", LEVEL: "200" };

function run(input: string): string {
  const texts: Record<string, string> = {};
  const [main = "", ...others] = input.split(/^=== /m);
  texts["viprd.yaml"] = main;
  for (const other of others) {
    const end = other.indexOf("\n");
    texts[other.slice(0, end)] = other.slice(end + 1);
  }
  const { config, problems } = loadTexts(texts, { env });
  const lines = problems.map((problem) => `${formatProblem(problem)}\n`).join("");
  return config === undefined ? lines : `${lines}${JSON.stringify(config, null, 2)}\n`;
}

for (const name of readdirSync(folder, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".txt"))
  .toSorted()) {
  test(
    name
      .replace(/\.txt$/, "")
      .replace("/", ": ")
      .replaceAll("-", " "),
    () => {
      const file = new URL(name, folder);
      const text = readFileSync(file, "utf8");
      const at = text.indexOf(separator);
      const input = at < 0 ? text : text.slice(0, at);
      const output = run(input);
      // A case stands in the folder of its outcome.
      expect(output.includes('"instances"'), output).toBe(name.startsWith("good/"));
      if (process.env.UPDATE) writeFileSync(file, `${input}${separator}${output}`);
      else expect(output).toBe(text.slice(at + separator.length));
    },
  );
}
