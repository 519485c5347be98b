// What the machine itself does to a timer, without any of the two products: nothing measured here can be better.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const name = "machine";
export const title = "Machine: how late a bare 10 ms timer wakes a process up";

const tool = fileURLToPath(new URL("../tools/ticks.mjs", import.meta.url));

export async function measure(report, { extent }) {
  const seconds = extent === "full" ? 20 : 4;
  const { stdout } = await promisify(execFile)(process.execPath, [tool, String(seconds)], { maxBuffer: 1e8 });
  for (const late of JSON.parse(stdout)) report.sample("lateness", "bare timer", late, "ms");
}
