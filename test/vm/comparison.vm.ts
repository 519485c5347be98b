/**
 * The same configuration and the same events for viprd, keepalived and ldirectord. What is in the table after each is
 * written down in docs/lvs-comparison.md, with the reasons; this test holds the page to it.
 */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { sleep } from "../support/lab-process.ts";
import { type Program, programs, startBalancer, type Wanted } from "./support/balancers.ts";
import { type Farm, farm, server, settles, sortTable, vip } from "./support/farm.ts";

const service = `-t ${vip}:80`;
const first: Wanted = { scheduler: "wrr", weights: { 1: 2, 2: 1 }, sorry: 3 };
const second: Wanted = { scheduler: "wlc", weights: { 1: 2, 2: 5 }, threshold: 100, sorry: 3 };

/** Tables by step and program, as the page has them. */
function written(): ReadonlyMap<string, readonly string[]> {
  const page = readFileSync(new URL("../../docs/lvs-comparison.md", import.meta.url), "utf8");
  const tables = new Map<string, readonly string[]>();
  for (const section of page.split(/^## /m).slice(1)) {
    const title = section.slice(0, section.indexOf("\n"));
    for (const [, names = "", text = ""] of section.matchAll(/^(.+):\n\n```text\n([^`]*)```/gm)) {
      const lines = text.split("\n").filter((line) => line !== "");
      for (const name of names.split(/, | and /)) tables.set(`${title}/${name}`, lines);
    }
  }
  return tables;
}

const tables = written();

/** An event, and what its section in the page is called. */
type Step = readonly [title: string, event: (farm: Farm) => Promise<unknown> | unknown];

async function edit(f: Farm, lines: readonly string[]): Promise<void> {
  for (const line of lines) await f.shell("director", `ipvsadm ${line}`);
}

const listen = (f: Farm, ...indexes: readonly number[]): Promise<unknown> =>
  Promise.all(indexes.map((index) => f.rs(index).listen("tcp", 8080)));

for (const program of programs) {
  farm(`what ${program} makes of the table`, { servers: 3, timeout: 290_000 }, async (f) => {
    await listen(f, 1, 2, 3);
    // Somebody was here before: a service with another scheduler, a server with another weight, one that nobody knows.
    await f.restore([
      `-A ${service} -s rr`,
      `-a ${service} -r ${server(1)}:8080 -m -w 9`,
      `-a ${service} -r ${server(9)}:8080 -m -w 1`,
      `-A -t ${vip}:9999 -s rr`,
    ]);
    let daemon = await startBalancer(f, program, first);
    const steps: readonly Step[] = [
      ["Start on a table that is not empty", () => undefined],
      ["A server fails", () => f.rs(1).close("tcp", 8080)],
      ["The last server fails", () => f.rs(2).close("tcp", 8080)],
      ["One server is back", () => listen(f, 2)],
      ["Both are back", () => listen(f, 1)],
      ["Reload with another scheduler, another weight and a limit", () => daemon.reload(second)],
      [
        "Edits by hand",
        () =>
          edit(f, [
            `-d ${service} -r ${server(1)}:8080`,
            `-e ${service} -r ${server(2)}:8080 -m -w 77`,
            `-a ${service} -r ${server(8)}:8080 -m -w 1`,
            `-E ${service} -s rr`,
          ]),
      ],
      ["Reload of the same file after that", () => daemon.reload(second)],
      ["The program is killed", () => daemon.kill9All()],
      [
        "Start again",
        async () => {
          daemon = await startBalancer(f, program, second);
        },
      ],
      ["Stop", () => daemon.term()],
    ];
    for (const [title, event] of steps) {
      await event(f);
      await holds(f, title, program);
    }
  });
}

/** The table becomes what the page says, and stays so for some runs of the checks. */
async function holds(f: Farm, title: string, program: Program): Promise<void> {
  const expected = sortTable(tables.get(`${title}/${program}`) ?? []);
  if (expected.length === 0) throw new Error(`docs/lvs-comparison.md has no table for ${program}: ${title}`);
  await settles(() => f.saved(), expected);
  await sleep(3_500);
  expect(await f.saved(), title).toEqual(expected);
}
