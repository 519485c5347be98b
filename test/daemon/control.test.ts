import { chmodSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ControlTarget, controlApp, groupId, openControl } from "../../src/daemon/control.ts";
import { EventLog } from "../../src/daemon/event-log.ts";
import type { NotifySubjectStatus } from "../../src/daemon/notify-status.ts";
import { assembleStatus } from "../../src/daemon/status.ts";
import { NoAnswer } from "../../src/daemon/status-requests.ts";
import { get, parameters, temporaryDirectory } from "./support.ts";

const nothing = { servers: [], what: null, until: null, notes: [] };

const supervisor = {
  viprd: "0.0.0",
  routerId: "lb1",
  pid: 42,
  started: "2026-01-01T00:00:00.000Z",
  config: { file: "a.yaml", loaded_at: "2026-01-01T00:00:00.000Z", reload: null },
  process: { state: "running", pid: 43, restarts: 0, since: "2026-01-01T00:00:00.000Z", last_end: null },
  checksProcess: { state: "not needed", pid: null, restarts: 0, since: "2026-01-01T00:00:00.000Z", last_end: null },
  instances: [parameters("web"), parameters("inside")],
  checks: [],
  checksLateness: null,
  lvs: undefined,
  notify: { subjects: [], fifos: [], webhooks: [] },
} as const;

function target(changes: Partial<ControlTarget> = {}): ControlTarget {
  return {
    events: new EventLog(),
    stopping: new AbortController().signal,
    instanceNames: () => ["web", "inside"],
    virtualServerNames: () => ["https"],
    status: (scope) => Promise.resolve(assembleStatus(supervisor, "the vrrp process is starting", scope)),
    orders: { begin: () => nothing, end: () => nothing },
    maintenance: { begin: () => {}, end: () => [] },
    notReady: () => undefined,
    ...changes,
  };
}

async function ask(path: string, changes: Partial<ControlTarget> = {}, headers: Record<string, string> = {}) {
  const response = await controlApp(target(changes)).request(path, { headers });
  return `${response.status} ${(await response.text()).trim()}`;
}

const notReady = () => "the vrrp process is starting";
const silent = () => Promise.reject(new NoAnswer("it sleeps"));
const broken = () => Promise.reject(new Error("a mistake of ours"));

test.each<[string, Partial<ControlTarget>, string]>([
  ["/healthz", {}, "200 ok"],
  ["/readyz", {}, "200 ready"],
  ["/readyz", { notReady }, "503 the vrrp process is starting"],
  ["/v1/status?instance=nobody", {}, '404 {"error":"no instance \\"nobody\\"","instances":["web","inside"]}'],
  [
    "/v1/status?virtual_server=nobody",
    {},
    '404 {"error":"no virtual server \\"nobody\\"","virtual_servers":["https"]}',
  ],
  [
    "/v1/status?name=nobody",
    {},
    '404 {"error":"no instance and no virtual server \\"nobody\\"","instances":["web","inside"],"virtual_servers":["https"]}',
  ],
  ["/v1/status", { status: silent }, '504 {"error":"it sleeps"}'],
  ["/v1/status", { status: broken }, '500 {"error":"a mistake of ours"}'],
  ["/v1/events?since=yesterday", {}, '400 {"error":"since: expected the id of an event"}'],
  ["/v2/status", {}, '404 {"error":"nothing at GET /v2/status"}'],
])("GET %s is answered", async (path, changes, answer) => {
  expect(await ask(path, changes)).toBe(answer);
});

test("the status of one instance holds that one alone", async () => {
  const answer = JSON.parse((await ask("/v1/status?instance=inside")).slice(4));
  expect(answer).toMatchObject({ version: 1, router_id: "lb1", instances: [{ name: "inside" }] });
  expect(answer.instances.length).toBe(1);
});

test("the status of a virtual server holds its notifications and those of its servers alone", () => {
  const about = (kind: NotifySubjectStatus["kind"], name: string): NotifySubjectStatus => {
    return { kind, name, told: null, running: null, waiting: null, skipped: 0, runs: 0, failures: 0, last: [] };
  };
  const subjects = [
    about("instance", "https"),
    about("virtual_server", "https"),
    about("virtual_server", "http"),
    about("real_server", "192.0.2.21:443 of https"),
    about("real_server", "192.0.2.21:80 of http"),
    about("group", "https"),
  ];
  const told = assembleStatus(
    { ...supervisor, notify: { subjects, fifos: [], webhooks: [] } },
    "the vrrp process is starting",
    { virtualServer: "https" },
  );
  expect(told.notify.subjects).toEqual([subjects[1], subjects[3]]);
});

test("events are replayed after the id a reader saw last", async () => {
  const events = new EventLog();
  const stop = new AbortController();
  for (const message of ["a", "b", "c"]) events.append({ at: "", type: "reload", message });
  const asking = ask("/v1/events?since=0", { events, stopping: stop.signal }, { "last-event-id": "2" });
  setTimeout(() => stop.abort(), 10);
  expect(await asking).toBe('200 : viprd\n\nid: 3\nevent: reload\ndata: {"at":"","type":"reload","message":"c"}');
});

test("the socket is for its owner and group, and replaces what a dead daemon left", async () => {
  const path = join(temporaryDirectory(), "control.sock");
  writeFileSync(path, "");
  chmodSync(path, 0o777);
  const control = await openControl(path, target());
  onTestFinished(() => control.close());
  expect(statSync(path).mode & 0o7777).toBe(0o660);
  expect(await get(path, "/healthz")).toEqual({ status: 200, body: "ok\n" });
});

test("closing does not wait for a client that says nothing", async () => {
  const path = join(temporaryDirectory(), "control.sock");
  const control = await openControl(path, target());
  const client = connect(path);
  client.on("error", () => {});
  await new Promise((resolve) => client.once("connect", resolve));
  client.write("GET /healthz HTTP/1.1\r\n");
  await new Promise((resolve) => setTimeout(resolve, 20));
  await control.close();
  client.destroy();
});

test.each([
  ["root:x:0:\nviprd:x:998:alice\n", 998],
  ["root:x:0:\nviprd2:x:998:\n", undefined],
  ["viprd:x::\n", undefined],
  ["", undefined],
])("in %j the group viprd has the number %s", (groups, id) => {
  expect(groupId(groups, "viprd")).toBe(id);
});

describe("maintenance", () => {
  const post = (app: ReturnType<typeof controlApp>, body: string) =>
    app.request("/v1/maintenance", { method: "POST", body });

  test("takes all instances or the named ones out of service, with reason and end", async () => {
    const calls: unknown[] = [];
    const begin = (...call: unknown[]): void => void calls.push(call);
    const app = controlApp(target({ maintenance: { begin, end: () => [] } }));
    const all = await post(app, '{"on":true}');
    expect(await all.json()).toEqual({ on: true, instances: ["web", "inside"], until: null });
    const one = await post(app, '{"on":true,"instances":["web"],"reason":"new kernel","for_s":60}');
    expect(await one.json()).toMatchObject({ on: true, instances: ["web"], until: expect.stringMatching(/Z$/) });
    expect(calls).toEqual([
      [["web", "inside"], "no reason given", undefined],
      [["web"], "new kernel", 60_000],
    ]);
  });

  test("without an instance there is nothing to take out of service", async () => {
    const never = (): never => {
      throw new Error("called");
    };
    const app = controlApp(target({ instanceNames: () => [], maintenance: { begin: never, end: never } }));
    const answer = await post(app, '{"on":true}');
    expect(answer.status).toBe(409);
    expect(await answer.json()).toEqual({
      error: "no instance is configured; for a server of the load balancer, name it (--server)",
    });
  });

  test("puts them back, and says which were out", async () => {
    const app = controlApp(target({ maintenance: { begin: () => {}, end: () => ["web"] } }));
    expect(await (await post(app, '{"on":false}')).json()).toEqual({ on: false, instances: ["web"], until: null });
  });

  test("refuses what it does not understand, and changes nothing", async () => {
    const never = (): never => {
      throw new Error("called");
    };
    const app = controlApp(target({ maintenance: { begin: never, end: never } }));
    const refusals = [
      ["nonsense", 400, "expected a map in JSON"],
      ["[]", 400, "expected a map in JSON"],
      ["{}", 400, "on: expected true or false"],
      ['{"on":true,"why":"x"}', 400, 'unknown key "why"; known here: on, instances, reason, for_s'],
      ['{"on":true,"instances":[]}', 400, "instances: expected a list of names"],
      ['{"on":true,"reason":"a\\nb"}', 400, "reason: expected text of 1 to 200 characters on one line"],
      ['{"on":true,"for_s":0}', 400, "for_s: expected seconds from 1 to 31622400"],
      ['{"on":false,"for_s":9}', 400, "reason and for_s are for on: true"],
      ['{"on":true,"instances":["nobody"]}', 404, 'no instance "nobody"'],
    ] as const;
    for (const [body, status, error] of refusals) {
      const answer = await post(app, body);
      expect([answer.status, ((await answer.json()) as { error: string }).error], body).toEqual([status, error]);
    }
    expect((await post(app, `{"on":true,"reason":"${"x".repeat(70_000)}"}`)).status).toBe(413);
  });
});
