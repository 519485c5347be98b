// Measures viprd and keepalived alternately, in network namespaces of its own. `node bench/run.mjs --help` explains.
import { writeFileSync } from "node:fs";
import { Machine } from "./lib/processes.mjs";
import { removeLeftOvers } from "./lib/lan.mjs";
import { Report, renderSection } from "./lib/report.mjs";

const report = new Report();
const m = await import(`./measure/${process.argv[2]}.mjs`);
removeLeftOvers();
report.section(m.title);
const machine = new Machine();
const t=performance.now();
for (const s of ["SIGINT","SIGTERM"]) process.on(s,()=>process.exit(1));
try { await m.measure(report, { extent: process.argv[3] ?? "quick", interval: process.argv[4] && Number(process.argv[4]), seconds: 10 }); }
catch (e) { console.error(e); }
finally {
Object.assign(report.sections.at(-1), machine.read(), {seconds:(performance.now()-t)/1000});
console.log(renderSection(report.sections.at(-1)));
process.exit(0)}
