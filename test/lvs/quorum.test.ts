/** Quorum with hysteresis, and the panic threshold, as tables. */
import { describe, expect, test } from "vitest";
import { heldByPanic, quorumAfter } from "../../src/lvs/quorum.ts";

describe("quorum", () => {
  const rows = [
    { name: "reached at the quorum", quorum: 2, hysteresis: 0, before: undefined, weight: 2, total: 3, after: true },
    { name: "not reached below it", quorum: 2, hysteresis: 0, before: undefined, weight: 1, total: 3, after: false },
    {
      name: "kept at quorum less hysteresis",
      quorum: 3,
      hysteresis: 1,
      before: true,
      weight: 2,
      total: 5,
      after: true,
    },
    {
      name: "lost below quorum less hysteresis",
      quorum: 3,
      hysteresis: 1,
      before: true,
      weight: 1,
      total: 5,
      after: false,
    },
    { name: "not regained at the quorum", quorum: 3, hysteresis: 1, before: false, weight: 3, total: 5, after: false },
    {
      name: "regained at quorum plus hysteresis",
      quorum: 3,
      hysteresis: 1,
      before: false,
      weight: 4,
      total: 5,
      after: true,
    },
    {
      name: "lost at weight 0 whatever the hysteresis",
      quorum: 1,
      hysteresis: 1,
      before: true,
      weight: 0,
      total: 5,
      after: false,
    },
    {
      name: "never more than all together weigh",
      quorum: 9,
      hysteresis: 0,
      before: false,
      weight: 3,
      total: 3,
      after: true,
    },
    {
      name: "regained with all, where more cannot be",
      quorum: 3,
      hysteresis: 2,
      before: false,
      weight: 3,
      total: 3,
      after: true,
    },
    {
      name: "at the start hysteresis does not count",
      quorum: 3,
      hysteresis: 1,
      before: undefined,
      weight: 3,
      total: 5,
      after: true,
    },
    { name: "no servers, no quorum", quorum: 1, hysteresis: 0, before: undefined, weight: 0, total: 0, after: false },
  ];
  test.each(rows)("$name", ({ after, ...input }) => {
    expect(quorumAfter({ ...input, pending: 0 })).toBe(after);
  });

  test("is not decided while results that could reach it are to come", () => {
    const input = { quorum: 2, hysteresis: 0, weight: 1, total: 3 };
    expect(quorumAfter({ ...input, before: undefined, pending: 1 })).toBeUndefined();
    expect(quorumAfter({ ...input, before: true, pending: 1 })).toBe(true);
    expect(quorumAfter({ ...input, before: false, pending: 1 })).toBe(false);
  });
});

describe("panic threshold", () => {
  const failing = [
    { key: "c", failedAt: 3 },
    { key: "a", failedAt: 1 },
    { key: "b", failedAt: 2 },
  ];

  test("the last to fail stay", () => {
    expect([...heldByPanic(failing, { left: 1, total: 4, threshold: 50 })]).toEqual(["c"]);
    expect([...heldByPanic(failing, { left: 1, total: 4, threshold: 100 })]).toEqual(["a", "b", "c"]);
  });

  test("nothing is held while enough are left", () => {
    expect([...heldByPanic(failing, { left: 1, total: 4, threshold: 25 })]).toEqual([]);
  });
});
