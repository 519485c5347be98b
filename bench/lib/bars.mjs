// The figures viprd is to hold, looked up in a report.
import { figure } from "./report.mjs";
import { largest, median } from "./statistics.mjs";

const bars = [
  ...[1000, 100, 10].map((interval) => ({
    what: `takeover after a crash, ${interval} ms adverts: median beyond the formula`,
    rows: [`crash, ${interval} ms adverts`],
    of: median,
    most: 0.3,
    unit: "ms",
  })),
  {
    what: "first takeover of a backup's life, 100 ms adverts: median beyond the formula",
    rows: ["first takeover"],
    of: median,
    most: 0.3,
    unit: "ms",
  },
  {
    what: "advertisement period, idle: p99 of the error",
    rows: ["10 ms adverts, idle: p99", "100 ms adverts, idle: p99"],
    of: median,
    most: 1,
    unit: "ms",
  },
  {
    what: "false takeovers, 10 ms adverts, all loads and classes",
    rows: ["idle", "2 loops", "8 loops"].flatMap((load) =>
      ["normal", "real-time"].map((kind) => `${load}, ${kind} class: takeovers`),
    ),
    of: sum,
    most: 0,
    unit: "",
  },
  { what: "stop: SIGTERM to priority 0", rows: ["1 instance: first priority 0"], of: median, most: 50, unit: "ms" },
  { what: "stop: SIGTERM to addresses gone", rows: ["1 instance: addresses gone"], of: median, most: 50, unit: "ms" },
  {
    what: "outage seen by a client, crash with link cut: beyond the detection",
    rows: [100, 10].map((interval) => `${interval} ms adverts: first answer after the first advertisement`),
    of: median,
    most: 2,
    unit: "ms",
  },
  { what: "start: exec to listening in backup", rows: ["exec to listening"], of: median, most: 400, unit: "ms" },
  {
    what: "1000 virtual routers, active: processor",
    rows: ["1000, active: processor"],
    of: median,
    most: 10,
    unit: "% core",
  },
  {
    what: "1000 virtual routers: latest advertisement",
    rows: ["1000: period error max"],
    of: largest,
    most: 50,
    unit: "ms",
  },
  ...[1, 1000].map((count) => ({
    what: `resident memory of the VRRP process, ${count} virtual router${count === 1 ? "" : "s"}`,
    rows: [`${count}, active: VRRP process, resident`, `${count}, backup: VRRP process, resident`],
    of: largest,
    most: 60,
    unit: "MiB",
  })),
  {
    what: "6000 health checks a second: processor",
    rows: ["all up: processor", "all up, status asked each second: processor", "no answer: processor"],
    of: median,
    most: 100,
    unit: "% core",
  },
  {
    what: "6000 health checks a second: p99 of how late they begin",
    rows: ["all up: lateness p99, at most", "all up, status asked each second: lateness p99, at most"],
    of: median,
    most: 50,
    unit: "ms",
  },
  {
    what: "6000 health checks a second: resident memory of the checks process",
    rows: ["all up: resident", "all up, status asked each second: resident", "no answer: resident"],
    of: largest,
    most: 200,
    unit: "MiB",
  },
  {
    what: "6000 health checks a second: sockets and descriptors left behind",
    rows: ["left in the end: descriptors", "left in the end: TIME_WAIT"],
    of: sum,
    most: 0,
    unit: "",
  },
  {
    what: "reload of 1000 virtual routers: gap beyond the interval",
    rows: ["unchanged: gap beyond the interval", "one changed: gap beyond the interval"],
    of: largest,
    most: 5,
    unit: "ms",
  },
  {
    what: "malformed packets at 10 000/s: latest advertisement",
    rows: [1000, 100].map((interval) => `${interval} ms adverts: latest advertisement`),
    of: largest,
    most: 5,
    unit: "ms",
  },
  ...["first time", "again"].map((time) => ({
    what: `10 000 IPVS destinations from empty by the client, ${time}: of the time of ipvsadm -R`,
    rows: ["10 000 servers from empty: of the time of ipvsadm -R"],
    product: `viprd's client, ${time}`,
    of: median,
    most: 33.3,
    unit: "%",
  })),
  {
    what: "malformed packets at 10 000/s: growth of the VRRP process",
    rows: [1000, 100].flatMap((interval) =>
      ["active", "backup"].map((role) => `${interval} ms adverts: resident growth, ${role}`),
    ),
    of: largest,
    most: 2,
    unit: "MiB",
  },
];

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

/** The worst of the rows counts, except where they are added up. */
function judge({ rows, of }, report, product) {
  const values = rows.map((row) => report.values(row, product)).filter((samples) => samples.length > 0);
  if (values.length === 0) return undefined;
  const each = values.map(of);
  return of === sum ? sum(each) : largest(each);
}

export function judgeAll(report) {
  return bars.flatMap((bar) => {
    const viprd = judge(bar, report, bar.product ?? "viprd");
    if (viprd === undefined) return [];
    return [
      {
        what: bar.what,
        unit: bar.unit,
        most: bar.most,
        viprd,
        keepalived: judge(bar, report, "keepalived"),
        met: viprd <= bar.most,
      },
    ];
  });
}

export function barLines(judged) {
  return [
    ["bar", "unit", "at most", "viprd", "keepalived", ""],
    ...judged.map(({ what, unit, most, viprd, keepalived, met }) => [
      what,
      unit,
      String(most),
      figure(viprd),
      keepalived === undefined ? "-" : figure(keepalived),
      met ? "met" : "NOT MET",
    ]),
  ];
}
