/** What is refused and why, and that nothing that is used once is accepted again, whatever the clocks do. */
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { type Rejection, trailerLength } from "../../src/vrrp/advertisement.ts";
import { Authenticator } from "../../src/vrrp/authenticator.ts";
import { decodeTrailer } from "../../src/vrrp/hmac-trailer.ts";
import type { AuthHmacParameters } from "../../src/vrrp/parameters.ts";
import type { Datagram } from "../../src/vrrp/reception.ts";
import { isAfter, type Sequence } from "../../src/vrrp/sequence.ts";
import { allVrrpRouters4 } from "../../src/wire/address.ts";
import { address, source4, v3Fields } from "../support/packets.ts";
import { authHmac, signed } from "../support/signed.ts";

const noon = 1_790_000_000_000;
let wall = noon;
let monotonic = 1000;
beforeEach(() => {
  wall = noon;
  monotonic = 1000;
});
const clocks = {
  now: () => monotonic,
  wallClock: () => new Date(wall).toISOString(),
  timeOfDay: () => wall,
};

function pass(duration: number): void {
  wall += duration;
  monotonic += duration;
}

function receiver(changes: Parameters<typeof authHmac>[0] = {}): Authenticator {
  return new Authenticator(authHmac(changes), clocks, 0);
}

function datagram(pdu: Uint8Array, source = source4): Datagram {
  return { source, destination: allVrrpRouters4, ttl: 255, pdu };
}

function judge(of: Authenticator, { source, pdu, ...rest }: Datagram, at = monotonic): Rejection | undefined {
  return of.arrived(at).judge({ source, pdu, ...rest }, pdu.subarray(pdu.length - trailerLength));
}

function hear(of: Authenticator, stamp: number | Sequence, how: Parameters<typeof signed>[2] = {}) {
  return judge(of, datagram(signed(v3Fields, stamp, how)));
}

describe("one wrong thing", () => {
  const pdu = () => signed(v3Fields, wall);
  const start = () => pdu().length - trailerLength;
  test.each<readonly [Rejection | undefined, string, () => Datagram]>([
    [undefined, "nothing", () => datagram(pdu())],
    [undefined, "nothing, with the other key", () => datagram(signed(v3Fields, wall, { id: 2 }))],
    ["hmac_malformed", "type 2", () => datagram(pdu().with(start(), 2))],
    ["hmac_malformed", "a reserved bit", () => datagram(pdu().with(start() + 3, 1))],
    ["hmac_unknown_key", "key 3", () => datagram(signed(v3Fields, wall, { id: 3 }))],
    ["hmac_stale", "6 s old", () => datagram(signed(v3Fields, wall - 6000))],
    ["hmac_stale", "6 s ahead", () => datagram(signed(v3Fields, wall + 6000))],
    ["hmac_invalid", "another secret under the id", () => datagram(signed(v3Fields, wall, { id: 1, secret: 3 }))],
    ["hmac_invalid", "another priority", () => datagram(pdu().with(2, 254))],
    ["hmac_invalid", "another VRID", () => datagram(pdu().with(1, 52))],
    ["hmac_invalid", "another address", () => datagram(pdu().with(11, 77))],
    ["hmac_invalid", "a later stamp", () => datagram(pdu().with(start() + 8, 0xff))],
    ["hmac_invalid", "another source", () => datagram(pdu(), address("192.0.2.99"))],
  ])("%s: %s", (expected, _, packet) => {
    expect(judge(receiver(), packet())).toBe(expected);
  });

  test("the first in this order is told: form, key, stamp, code, replay", () => {
    const of = receiver();
    const old = signed(v3Fields, wall - 10_000, { id: 3 });
    expect(judge(of, datagram(old.with(old.length - trailerLength, 9)))).toBe("hmac_malformed");
    expect(judge(of, datagram(old))).toBe("hmac_unknown_key");
    expect(hear(of, wall - 10_000, { id: 1, secret: 3 })).toBe("hmac_stale");
    expect(hear(of, wall)).toBeUndefined();
    expect(hear(of, wall, { id: 1, secret: 3 })).toBe("hmac_invalid");
    expect(hear(of, wall)).toBe("hmac_replay");
  });
});

describe("without a trailer", () => {
  test.each<readonly [AuthHmacParameters["mode"], Rejection | undefined, number]>([
    ["enforce", "hmac_missing", 0],
    ["permissive", undefined, 1],
    ["receive_only", undefined, 1],
  ])("%s: %s", (mode, expected, accepted) => {
    const of = receiver({ mode });
    expect(of.arrived(monotonic).judge(datagram(signed(v3Fields, wall)), undefined)).toBe(expected);
    expect(of.status().unsigned_accepted).toBe(accepted);
    // What is signed is judged in every mode.
    expect(hear(of, wall, { id: 1, secret: 3 })).toBe("hmac_invalid");
  });
});

describe("the window", () => {
  test.each([
    [1000, 1],
    [5000, 5],
    [300_000, 300],
  ])("of %s ms is %s whole seconds either way", (timeWindow, seconds) => {
    const of = () => receiver({ timeWindow });
    expect(hear(of(), wall - seconds * 1000)).toBeUndefined();
    expect(hear(of(), wall + seconds * 1000)).toBeUndefined();
    expect(hear(of(), wall - seconds * 1000 - 1)).toBe("hmac_stale");
    expect(hear(of(), wall + seconds * 1000 + 1000)).toBe("hmac_stale");
  });

  test("is measured at the arrival: what waited in the queue while the process was stopped is not stale", () => {
    const of = receiver();
    const pdu = signed(v3Fields, wall);
    const arrival = monotonic;
    pass(60_000);
    expect(judge(of, datagram(pdu), arrival)).toBeUndefined();
    expect(judge(receiver(), datagram(pdu))).toBe("hmac_stale");
  });

  test("does not exist in monotonic mode", () => {
    const of = receiver({ antiReplay: "monotonic" });
    expect(hear(of, noon - 1e9)).toBeUndefined();
    expect(hear(of, noon + 1e9)).toBeUndefined();
  });
});

describe("a replay", () => {
  test("is refused however often it comes, and so is everything older than the newest", () => {
    const of = receiver();
    expect(hear(of, wall)).toBeUndefined();
    expect(hear(of, wall)).toBe("hmac_replay");
    expect(hear(of, wall - 1)).toBe("hmac_replay");
    expect(hear(of, wall + 1)).toBeUndefined();
    expect(hear(of, wall)).toBe("hmac_replay");
  });

  test("is looked for with each sender apart", () => {
    const of = receiver();
    const from = (last: number, stamp: number) => {
      const source = address(`192.0.2.${last}`);
      return judge(of, datagram(signed({ ...v3Fields, source }, stamp), source));
    };
    expect(from(11, wall)).toBeUndefined();
    expect(from(12, wall - 500)).toBeUndefined();
    expect(from(12, wall - 500)).toBe("hmac_replay");
    expect(from(11, wall)).toBe("hmac_replay");
  });

  test("of one of the last sixteen senders is remembered, the longest silent is forgotten first", () => {
    const of = receiver();
    const from = (last: number, stamp = wall) => {
      const source = address(`192.0.2.${last}`);
      return judge(of, datagram(signed({ ...v3Fields, source }, stamp), source));
    };
    for (let last = 1; last <= 16; last++) expect(from(last)).toBeUndefined();
    expect(from(1, wall + 1)).toBeUndefined();
    expect(from(17)).toBeUndefined();
    expect(from(1, wall + 1)).toBe("hmac_replay");
    expect(from(2)).toBeUndefined();
  });

  test("of any unicast peer is remembered, however many there are, also after a reload that adds some", () => {
    const of = receiver();
    const from = (last: number) => {
      const source = address(`192.0.2.${last}`);
      return judge(of, datagram(signed({ ...v3Fields, source }, wall), source));
    };
    of.configure(authHmac(), 40);
    for (let last = 1; last <= 40; last++) expect(from(last)).toBeUndefined();
    for (let last = 1; last <= 40; last++) expect(from(last)).toBe("hmac_replay");
    of.configure(authHmac(), 0);
    for (let last = 25; last <= 40; last++) expect(from(last)).toBe("hmac_replay");
    expect(from(24)).toBeUndefined();
  });

  test("cannot be prepared by somebody without the key: what is refused leaves no mark", () => {
    const of = receiver();
    expect(hear(of, wall + 4000, { id: 1, secret: 3 })).toBe("hmac_invalid");
    expect(hear(of, wall + 4000, { id: 3 })).toBe("hmac_unknown_key");
    expect(hear(of, wall + 60_000)).toBe("hmac_stale");
    expect(hear(of, wall)).toBeUndefined();
  });

  test("from before a change of keys is refused after it", () => {
    const of = receiver();
    expect(hear(of, wall)).toBeUndefined();
    of.configure(authHmac({ ids: [1, 3], activeKey: 3 }), 0);
    expect(hear(of, wall)).toBe("hmac_replay");
    expect(hear(of, wall + 1, { id: 3 })).toBeUndefined();
    expect(hear(of, wall + 2, { id: 2 })).toBe("hmac_unknown_key");
  });
});

describe("a sender", () => {
  test("that was started again is heard at once: its clock went on", () => {
    const of = receiver();
    expect(hear(of, { seconds: noon / 1000, fraction: 0x1234_0007 })).toBeUndefined();
    pass(1000);
    expect(hear(of, { seconds: noon / 1000 + 1, fraction: 0x0100_0000 })).toBeUndefined();
  });

  test("whose clock went back is refused until it has caught up", () => {
    const of = receiver();
    expect(hear(of, wall)).toBeUndefined();
    for (let i = 0; i < 3; i++) {
      pass(1000);
      expect(hear(of, wall - 4000)).toBe("hmac_replay");
    }
    pass(1000);
    expect(hear(of, wall - 3999)).toBeUndefined();
  });

  test("is heard when both clocks were wrong and are set back, and old recordings are not", () => {
    const of = receiver();
    const recorded = signed(v3Fields, wall);
    expect(judge(of, datagram(recorded))).toBeUndefined();
    wall -= 3_600_000;
    expect(judge(of, datagram(recorded))).toBe("hmac_stale");
    expect(hear(of, wall)).toBeUndefined();
    expect(hear(of, wall)).toBe("hmac_replay");
  });

  test("is not heard in that case in monotonic mode, where growth is all there is", () => {
    const of = receiver({ antiReplay: "monotonic" });
    expect(hear(of, wall)).toBeUndefined();
    wall -= 3_600_000;
    expect(hear(of, wall)).toBe("hmac_replay");
  });
});

describe("what is signed", () => {
  const pdu = new Uint8Array(40);
  function next(of: Authenticator): Sequence {
    of.sign(pdu, source4);
    return decodeTrailer(pdu.subarray(-trailerLength)).sequence;
  }

  test("carries the clock, or one more than before while the clock stands still", () => {
    const of = receiver();
    expect(next(of)).toEqual({ seconds: noon / 1000, fraction: 0 });
    expect(next(of)).toEqual({ seconds: noon / 1000, fraction: 1 });
    pass(1500);
    expect(next(of)).toEqual({ seconds: noon / 1000 + 1, fraction: 0x8000_0000 });
  });

  test("goes on counting when the clock is set back by no more than the window", () => {
    const of = receiver();
    const last = next(of);
    wall -= 5000;
    expect(next(of)).toEqual({ ...last, fraction: 1 });
    pass(4999);
    expect(next(of)).toEqual({ ...last, fraction: 2 });
    pass(2);
    expect(next(of)).toEqual({ seconds: noon / 1000, fraction: 65 * 0x10000 });
  });

  test("follows a clock that is set back further: the old stamps are stale for everybody whose clock is right", () => {
    const of = receiver();
    next(of);
    wall -= 6000;
    expect(next(of)).toEqual({ seconds: noon / 1000 - 6, fraction: 0 });
  });

  test("never goes back in monotonic mode", () => {
    const of = receiver({ antiReplay: "monotonic" });
    const last = next(of);
    wall -= 3_600_000;
    expect(next(of)).toEqual({ ...last, fraction: 1 });
  });

  test("is heard, in order and without a gap, whatever small steps both clocks make", () => {
    const steps = fc.array(fc.integer({ min: -1500, max: 1500 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(steps, fc.constantFrom("time" as const, "monotonic" as const), (jumps, antiReplay) => {
        wall = noon;
        const [from, to] = [receiver({ antiReplay }), receiver({ antiReplay })];
        let last: Sequence | undefined;
        let error = 0;
        for (const jump of jumps) {
          // A clock that is disciplined: it errs by 2 s at most.
          error = Math.max(-2000, Math.min(2000, error + jump));
          pass(1000);
          const right = wall;
          wall += error;
          const sequence = next(from);
          wall = right;
          if (last !== undefined) expect(isAfter(sequence, last)).toBe(true);
          last = sequence;
          expect(hear(to, sequence)).toBeUndefined();
        }
      }),
    );
  });
});

test("the status names keys by id and fingerprint, and the last refusal in words; no secret is in it", () => {
  const of = receiver({ mode: "permissive" });
  expect(hear(of, wall - 7000)).toBe("hmac_stale");
  of.explain("hmac_stale", datagram(signed(v3Fields, wall - 7000)));
  expect(of.status()).toEqual({
    method: "hmac",
    mode: "permissive",
    active_key: 1,
    keys: [
      { id: 1, fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/) },
      { id: 2, fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/) },
    ],
    anti_replay: "time",
    time_window_ms: 5000,
    unsigned_accepted: 0,
    last_refusal: {
      at: "2026-09-21T14:13:20.000Z",
      source: "192.0.2.11",
      rejection: "hmac_stale",
      reason: expect.stringContaining(
        "stamped 2026-09-21T14:13:13.000Z, this router's clock says 2026-09-21T14:13:20.000Z",
      ),
    },
  });
  expect(JSON.stringify(of.status())).not.toMatch(/0001020304|1c1d1e1f/);
});

describe("in words", () => {
  function told(name: Rejection, packet: Datagram, of = receiver()): string | undefined {
    expect(judge(of, packet)).toBe(name);
    return of.explain(name, packet);
  }

  test("an unknown key", () => {
    expect(told("hmac_unknown_key", datagram(signed(v3Fields, wall, { id: 3 })))).toBe(
      "refused advertisement from 192.0.2.11: hmac_unknown_key (signed with key 3, this router has 1, 2: both nodes will be active)",
    );
  });

  test("a wrong secret", () => {
    expect(told("hmac_invalid", datagram(signed(v3Fields, wall, { id: 1, secret: 3 })))).toContain(
      "key 1 of this router did not sign it",
    );
  });

  test("a replay, with both stamps", () => {
    const of = receiver();
    expect(hear(of, { seconds: noon / 1000, fraction: 0x8000_0002 })).toBeUndefined();
    expect(told("hmac_replay", datagram(signed(v3Fields, wall)), of)).toContain(
      "stamped 2026-09-21T14:13:20.000Z, one 2026-09-21T14:13:20.500Z + 2 was heard",
    );
  });

  test("anything else is left to others", () => {
    expect(receiver().explain("checksum", datagram(signed(v3Fields, wall)))).toBeUndefined();
  });
});
