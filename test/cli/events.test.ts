import { expect, test } from "vitest";
import { EventReader } from "../../src/cli/sse.ts";
import { loaded, rig, until } from "../daemon/support.ts";
import { start, viprd } from "./support.ts";

test("events follows what happens, from the first one kept with --since 0, until the daemon ends", async () => {
  const { supervisor, directory, log } = rig(() => loaded("web"));
  await supervisor.start();
  await until(() => log.lines.some((line) => line.includes("→ backup")), "a first event");
  const text = start("events", "--since", "0", "--runtime-dir", `${directory}/run`);
  const json = start("events", "--since", "1", "--json", "--runtime-dir", `${directory}/run`);
  await until(() => text.output.stdout.includes("#1"), "the first event", 10_000);
  await supervisor.reload();
  await until(() => json.output.stdout.includes("\n") && text.output.stdout.includes("#2"), "the reload", 10_000);
  await supervisor.stop("test");
  expect(await text.ended).toMatchObject({
    code: 3,
    stdout: expect.stringMatching(
      /^\S+ {2}#1 {2}web: initialize → backup: started\n\S+ {2}#2 {2}reload: nothing to change\n\S+ {2}#3 {2}web: backup → initialize: viprd is stopping\n$/,
    ),
    stderr: "the daemon ended the stream\n",
  });
  const [first = ""] = (await json.ended).stdout.split("\n");
  expect(JSON.parse(first)).toMatchObject({ id: 2, event: { type: "reload" } });
});

test("Ctrl-C ends it with exit code 0", async () => {
  const { supervisor, directory } = rig(() => loaded("web"));
  await supervisor.start();
  const running = start("events", "--since", "0", "--runtime-dir", `${directory}/run`);
  await until(() => running.output.stdout !== "", "an event", 10_000);
  running.process.kill("SIGINT");
  expect(await running.ended).toMatchObject({ code: 0, stderr: "" });
});

test("an id that is none is a usage error", async () => {
  expect(await viprd("events", "--since", "yesterday")).toMatchObject({ code: 2 });
});

test("events are taken apart wherever the pieces were cut", () => {
  const stream = ': hello\n\nid: 1\nevent: reload\ndata: {"a":1}\n\n: still here\n\nid: 2\ndata: {"b":2}\n\n';
  const expected = [
    ["1", '{"a":1}'],
    ["2", '{"b":2}'],
  ];
  for (let cut = 0; cut <= stream.length; cut++) {
    const heard: string[][] = [];
    const reader = new EventReader((id, data) => heard.push([id, data]));
    reader.push(stream.slice(0, cut));
    reader.push(stream.slice(cut));
    expect(heard).toEqual(expected);
  }
});
