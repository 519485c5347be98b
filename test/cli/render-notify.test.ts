import { expect, test } from "vitest";
import type { Paint } from "../../src/cli/paint.ts";
import { renderNotify } from "../../src/cli/render-notify.ts";
import type { NotifyStatus, NotifySubjectStatus } from "../../src/daemon/notify-status.ts";

const now = new Date("2026-01-02T03:04:05.000Z");
const ago = (seconds: number) => new Date(now.getTime() - 1000 * seconds).toISOString();
const plain: Paint = (_colour, text) => text;
const red: Paint = (colour, text) => (colour === "red" ? `[${text}]` : text);

const quiet: NotifySubjectStatus = {
  kind: "instance",
  name: "web",
  told: "active",
  running: null,
  waiting: null,
  skipped: 0,
  runs: 1,
  failures: 0,
  last: [],
};
const failed: NotifySubjectStatus = {
  ...quiet,
  kind: "group",
  name: "edge",
  running: { key: "notify", state: "active", since: ago(2) },
  waiting: "backup",
  skipped: 3,
  runs: 7,
  failures: 1,
  last: [
    {
      key: "notify_active",
      command: "/etc/viprd/x 'a b'",
      state: "active",
      at: ago(90),
      ok: false,
      exit_code: 3,
      signal: null,
      timed_out: false,
      duration_ms: 12,
      message: "exited with code 3",
      output: "first line\nlast words",
    },
  ],
};
const nothing: NotifyStatus = { subjects: [], fifos: [], webhooks: [] };

test("nobody to tell, nothing to show", () => {
  expect(renderNotify(nothing, now, plain)).toEqual([]);
});

test("what runs, waits and failed is told, the failure with the last words of the script", () => {
  expect(
    renderNotify({ ...nothing, subjects: [quiet, failed, { ...quiet, name: "new", told: null, runs: 0 }] }, now, red),
  ).toEqual([
    "notify",
    "  web         told active, 1 run",
    "  group edge  told active, notify runs for 2 s, backup waits, 7 runs, 1 failed, 3 overtaken",
    "              [notify_active (active), 1 min 30 s ago: /etc/viprd/x 'a b' exited with code 3: last words]",
    "  new         nothing told yet, 0 runs",
  ]);
});

test("of many only those with trouble", () => {
  const subjects = [...Array.from({ length: 9 }, (_, i) => ({ ...quiet, name: `web${i}` })), failed];
  const lines = renderNotify({ ...nothing, subjects }, now, plain);
  expect(lines).toHaveLength(4);
  expect(lines[1]?.trim()).toBe("9 without trouble");
  expect(lines[2]).toContain("group edge");
});

test("FIFOs and webhooks tell their counts, and what is wrong with them", () => {
  const last = { at: ago(1), ok: true, message: "answered 204" };
  expect(
    renderNotify(
      {
        subjects: [],
        fifos: [
          { path: "/run/a", lines: 5, lost: 0, waiting: 0, problem: null },
          { path: "/run/b", lines: 5, lost: 2, waiting: 1, problem: "it is full, as nobody reads it" },
        ],
        webhooks: [
          { url: "https://a/…", sent: 3, failed: 0, dropped: 0, waiting: 0, last },
          {
            url: "https://b/…",
            sent: 3,
            failed: 1,
            dropped: 4,
            waiting: 2,
            last: { ...last, ok: false, message: "answered 500" },
          },
        ],
      },
      now,
      red,
    ),
  ).toEqual([
    "notify",
    "  fifo     /run/a: 5 lines",
    "  fifo     [/run/b: 5 lines, 2 lost, 1 wait; it is full, as nobody reads it]",
    "  webhook  https://a/…: 3 sent",
    "  webhook  [https://b/…: 3 sent, 1 failed, 4 dropped, 2 wait; answered 500]",
  ]);
});
