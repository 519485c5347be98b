// Measures viprd and keepalived alternately in one run, in network namespaces of its own. Needs root.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

const names = [
  "machine",
  "start",
  "takeover",
  "first",
  "period",
  "stop",
  "outage",
  "scale",
  "reload",
  "flood",
  "checks",
  "many-checks",
  "lvs",
  "false",
];
const usage = `npm run bench -- [options]          (as root, after npm ci; installs what is missing, keepalived among it)

  --quick          about ten minutes (default)
  --full           about an hour
  --only NAME      one of: ${names.join(" ")}; may be repeated
  --minutes N      length of each cell of "false" (fractions allowed)
  --json FILE      every sample, as JSON
  --program DIR    measure another built checkout
`;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean" },
    full: { type: "boolean" },
    only: { type: "string", multiple: true },
    minutes: { type: "string" },
    json: { type: "string" },
    program: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
const unknown = options.only?.find((name) => !names.includes(name));
if (options.help || unknown !== undefined) {
  process.stderr.write(unknown === undefined ? usage : `no measurement ${unknown}\n${usage}`);
  process.exit(options.help ? 0 : 2);
}
if (process.getuid() !== 0) {
  process.stderr.write("npm run bench makes network namespaces: run it as root\n");
  process.exit(2);
}
if (options.program !== undefined) process.env.VIPRD_BENCH_PROGRAM = options.program;
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
await import("../scripts/lab-tools.mjs");

const { removeLeftOvers } = await import("./lib/lan.mjs");
const { Machine, complaints } = await import("./lib/processes.mjs");
const { products } = await import("./lib/products.mjs");
const { Report, align, renderSection } = await import("./lib/report.mjs");
const { barLines, judgeAll } = await import("./lib/bars.mjs");

removeLeftOvers();
process.stdout.write(`${products.map(({ name, version }) => `${name} ${version()}`).join(", ")}\n\n`);
const report = new Report();
let failed = false;
for (const name of options.only ?? names) {
  const { measure, title } = await import(`./measure/${name === "false" ? "false-takeovers" : name}.mjs`);
  report.section(title);
  const section = report.sections.at(-1);
  const machine = new Machine();
  const start = performance.now();
  try {
    const seconds = options.minutes === undefined ? undefined : Number(options.minutes) * 60;
    await measure(report, { extent: options.full ? "full" : "quick", seconds });
  } catch (error) {
    failed = true;
    report.note(`broken off: ${error instanceof Error ? error.stack : error}`);
  }
  for (const line of complaints.splice(0)) report.note(line);
  Object.assign(section, machine.read(), { seconds: (performance.now() - start) / 1000 });
  process.stdout.write(`${renderSection(section)}\n\n`);
}

const judged = judgeAll(report);
if (judged.length > 0) process.stdout.write(`${align(barLines(judged), 2).join("\n")}\n`);
if (options.json !== undefined) {
  const sections = report.sections.map(({ rows, ...rest }) => ({ ...rest, rows: Object.fromEntries(rows) }));
  const versions = Object.fromEntries(products.map(({ name, version }) => [name, version()]));
  writeFileSync(
    options.json,
    `${JSON.stringify({ at: new Date().toISOString(), versions, bars: judged, sections }, undefined, 1)}\n`,
  );
}
process.exit(failed ? 1 : 0);
