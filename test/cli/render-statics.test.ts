import { expect, test } from "vitest";
import type { Paint } from "../../src/cli/paint.ts";
import { renderStatics, routingRows } from "../../src/cli/render-statics.ts";

const plain: Paint = (_, text) => text;
const marked: Paint = (colour, text) => `<${colour}>${text}`;
const standing = { present: true, foreign: false, error: null };

test("routes of an active router: what is there, what is missing and why, what is somebody else's", () => {
  const rows = routingRows(
    "route",
    [
      { text: "10.0.0.0/8 via 192.0.2.254", ...standing },
      { text: "blackhole 10.1.0.0/16", ...standing, foreign: true },
      { text: "default dev tun0", present: false, foreign: false, error: "interface tun0 does not exist" },
    ],
    true,
    marked,
  );
  expect(rows).toEqual([
    ["route", "10.0.0.0/8 via 192.0.2.254  present"],
    ["route", "blackhole 10.1.0.0/16       present, put there by somebody else"],
    ["route", "<red>default dev tun0            MISSING: interface tun0 does not exist"],
  ]);
});

test("rules of a backup are absent; one that is there all the same stands out", () => {
  const entries = [
    { text: "priority 5 table 7", ...standing, present: false },
    { text: "priority 6 table 7", ...standing },
  ];
  expect(routingRows("rule", entries, false, marked)).toEqual([
    ["rule", "priority 5 table 7  absent"],
    ["rule", "<red>priority 6 table 7  present, but not ours to hold now"],
  ]);
});

test("what is held whatever the roles are has a block of its own, if there is any", () => {
  expect(renderStatics({ addresses: [], routes: [], rules: [] }, plain)).toEqual([]);
  const statics = {
    addresses: [
      { address: "203.0.113.5/24", device: "eth1", present: true, lease_s: 5 },
      { address: "203.0.113.66/24", device: "eth1", present: false, lease_s: 5 },
    ],
    routes: [{ text: "unreachable 198.18.0.0/15", ...standing }],
    rules: [{ text: "from 203.0.113.5/32 priority 2000 table 200", ...standing }],
  };
  expect(renderStatics(statics, plain)).toEqual([
    "static",
    "  address  203.0.113.5/24   eth1  present, lease 5 s",
    "           203.0.113.66/24  eth1  MISSING",
    "  route    unreachable 198.18.0.0/15  present",
    "  rule     from 203.0.113.5/32 priority 2000 table 200  present",
  ]);
});
