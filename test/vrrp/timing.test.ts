import fc from "fast-check";
import { expect, test } from "vitest";
import { activeDownInterval, nextOnGrid, skewTime } from "../../src/vrrp/timing.ts";

// version, priority, interval in centiseconds, Skew_Time and Active_Down_Interval in centiseconds and whole microseconds
test.each([
  [3, 1, 100, 99.609375, 996093, 399.609375, 3996093],
  [3, 50, 100, 80.46875, 804687, 380.46875, 3804687],
  [3, 100, 100, 60.9375, 609375, 360.9375, 3609375],
  [3, 150, 100, 41.40625, 414062, 341.40625, 3414062],
  [3, 200, 100, 21.875, 218750, 321.875, 3218750],
  [3, 254, 100, 0.78125, 7812, 300.78125, 3007812],
  [3, 255, 100, 0.390625, 3906, 300.390625, 3003906],
  [3, 100, 1, 0.609375, 6093, 3.609375, 36093],
  [3, 200, 1, 0.21875, 2187, 3.21875, 32187],
  [3, 254, 1, 0.0078125, 78, 3.0078125, 30078],
  [3, 255, 1, 0.00390625, 39, 3.00390625, 30039],
  [3, 100, 10, 6.09375, 60937, 36.09375, 360937],
  [3, 200, 10, 2.1875, 21875, 32.1875, 321875],
  [3, 100, 300, 182.8125, 1828125, 1082.8125, 10828125],
  [3, 100, 400, 243.75, 2437500, 1443.75, 14437500],
  [3, 200, 400, 87.5, 875000, 1287.5, 12875000],
  [3, 1, 4095, 4079.00390625, 40790039, 16364.00390625, 163640039],
  [3, 100, 4095, 2495.390625, 24953906, 14780.390625, 147803906],
  [3, 255, 4095, 15.99609375, 159960, 12300.99609375, 123009960],
  [2, 1, 100, 99.609375, 996093, 399.609375, 3996093],
  [2, 100, 100, 60.9375, 609375, 360.9375, 3609375],
  [2, 255, 100, 0.390625, 3906, 300.390625, 3003906],
  [2, 100, 500, 60.9375, 609375, 1560.9375, 15609375],
  [2, 200, 500, 21.875, 218750, 1521.875, 15218750],
  [2, 100, 25500, 60.9375, 609375, 76560.9375, 765609375],
] as const)(
  "version %d, priority %d, interval %d cs: skew %d cs (%d us), down %d cs (%d us)",
  (version, priority, interval, skew, skewMicros, down, downMicros) => {
    const skewMs = skewTime(version, priority, interval * 10);
    const downMs = activeDownInterval(version, priority, interval * 10);
    expect([skewMs / 10, downMs / 10]).toEqual([skew, down]);
    expect([Math.floor(skewMs * 1000), Math.floor(downMs * 1000)]).toEqual([skewMicros, downMicros]);
  },
);

test("neighbouring priorities differ by exactly 1/256 of the interval, down to 10 ms intervals", () => {
  for (let priority = 1; priority < 255; priority++) {
    expect(skewTime(3, priority, 10) - skewTime(3, priority + 1, 10)).toBe(10 / 256);
    expect(skewTime(2, priority, 10_000) - skewTime(2, priority + 1, 10_000)).toBe(1000 / 256);
  }
});

test.each([
  ["a timer that fires on time moves by one interval", 5000, 1000, 5000, 6000],
  ["a timer that fires late keeps its grid", 5000, 1000, 5003.25, 6000],
  ["a stall of many intervals skips the points that have passed", 5000, 1000, 9500, 10_000],
  ["a point that is reached exactly has passed", 5000, 1000, 9000, 10_000],
  ["an early wake-up does not move backwards", 5000, 1000, 4000, 6000],
])("%s", (_, start, interval, now, next) => {
  expect(nextOnGrid(start, interval, now)).toBe(next);
});

test("ten thousand late wake-ups do not make the grid drift", () => {
  let at = 1000;
  for (let n = 1; n <= 10_000; n++) {
    at = nextOnGrid(at, 100, at + ((n * 37) % 90));
    expect(at).toBe(1000 + n * 100);
  }
});

test("the next point of the grid lies after now and not more than one interval after it", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.integer({ min: 1, max: 4095 }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      (start, centiseconds, late) => {
        const interval = centiseconds * 10;
        const next = nextOnGrid(start, interval, start + late);
        expect(next).toBeGreaterThan(start + late - 1e-6);
        expect(next).toBeLessThanOrEqual(start + late + interval + 1e-6);
      },
    ),
  );
});
