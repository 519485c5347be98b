// What 500 health checks of 1 s each do to the advertisements of the same host: nothing, if the processes keep apart.
import { now, sleep } from "../lib/clock.mjs";
import { better, withPair } from "../lib/pair.mjs";
import { Daemon, processorTime } from "../lib/processes.mjs";
import { viprd } from "../lib/products.mjs";
import { largest, quantile } from "../lib/statistics.mjs";

export const name = "checks";
export const title = "Checks: |gap between two advertisements - interval| without and with 500 checks of 1 s each";

const count = 500;
/** One stretch of measuring, in milliseconds. */
const cell = 5000;
/** Upper ends of the classes that the errors are counted in, in milliseconds. */
const classes = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, Number.POSITIVE_INFINITY];
const port = 7000;
const server = `require("node:net").createServer((s) => s.on("error", () => {})).listen(${port}, "10.50.255.100")`;

export async function measure(report, { extent }) {
  const turns = extent === "full" ? 24 : 8;
  const plans = [{ interval: 10 }, { interval: 10, realtime: 50 }, ...(extent === "full" ? [{ interval: 100 }] : [])];
  for (const plan of plans) {
    await withPair(viprd, plan, async (pair) => {
      const target = new Daemon(pair.lan, "h1", process.execPath, ["-e", server]);
      try {
        await alternate(report, pair, turns);
      } finally {
        target.kill();
      }
    });
  }
}

/** Reloads take the checks away and bring them back, so that both kinds meet the same other work on the machine. */
async function alternate(report, pair, turns) {
  const all = { without: [], with: [] };
  for (let turn = 0; turn < turns; turn++) {
    for (const kind of turn % 2 === 0 ? ["without", "with"] : ["with", "without"]) {
      pair.r1.rewrite({ ...pair.plan, priority: better, checks: kind === "with" ? count : 0 });
      pair.r1.signal("SIGHUP");
      // The process with the checks comes, runs each of them once and is compiled; or it goes.
      await sleep(3000);
      all[kind].push(...(await watch(report, pair, kind)));
    }
  }
  for (const kind of ["without", "with"]) report.note(`${subject(pair)}, ${distribution(kind, all[kind])}`);
}

async function watch(report, pair, kind) {
  const { interval, r1 } = pair;
  const what = subject(pair);
  const [, speaker, checker] = r1.tree();
  if ((checker !== undefined) !== (kind === "with")) throw new Error(`${label(kind)}, but processes ${r1.tree()}`);
  const [from, before] = [now(), [processorTime([speaker]), processorTime([checker ?? speaker])]];
  await sleep(cell);
  const elapsed = now() - from;
  const errors = pair.capture.gaps("r1", { from }).map((gap) => Math.abs(gap - interval));
  for (const q of [0.5, 0.9, 0.99]) report.sample(`${what}: p${q * 100}`, label(kind), quantile(errors, q), "ms");
  report.sample(`${what}: max`, label(kind), largest(errors), "ms");
  const share = (pid, i) => ((processorTime([pid]) - before[i]) / elapsed) * 100;
  report.sample(`${what}: VRRP process`, label(kind), share(speaker, 0), "% core");
  if (checker !== undefined) report.sample(`${what}: checks process`, label(kind), share(checker, 1), "% core");
  const claims = pair.capture.adverts("r2", { from }).length;
  if (claims > 0) report.note(`${what}, ${label(kind)}: ${claims} advertisements of the backup`);
  return errors;
}

function subject({ interval, plan }) {
  return `${interval} ms adverts, ${plan.realtime === undefined ? "normal" : "real-time"} class`;
}

function label(kind) {
  return kind === "with" ? `${count} checks` : "no checks";
}

/** "no checks: 2990 gaps, <= 0.05 ms 71.2 %, <= 0.1 ms 20.4 %, ..." */
function distribution(kind, errors) {
  let below = 0;
  const shares = classes.map((end) => {
    const within = errors.filter((error) => error <= end).length;
    const share = (within - below) / errors.length;
    below = within;
    return `${Number.isFinite(end) ? `<= ${end} ms` : "more"} ${(share * 100).toFixed(2)} %`;
  });
  return `${label(kind)}: ${errors.length} gaps, ${shares.join(", ")}`;
}
