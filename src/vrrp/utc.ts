/** A time of day in words, without a clock. */
import type { Milliseconds } from "./parameters.ts";

const day = 86_400_000;

/** Milliseconds since 1970 as ISO 8601: "2026-07-07T08:09:10.123Z". */
export function formatUtc(time: Milliseconds): string {
  const days = Math.floor(time / day);
  const rest = Math.floor(time - days * day);
  const clock = [Math.floor(rest / 3_600_000), Math.floor(rest / 60_000) % 60, Math.floor(rest / 1000) % 60];
  const [year, month, date] = civil(days);
  return `${year}-${padded(month)}-${padded(date)}T${clock.map(padded).join(":")}.${String(rest % 1000).padStart(3, "0")}Z`;
}

/** Years begin in March here, so that the day that leap years add is the last one. */
function civil(days: number): readonly [number, number, number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const year = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const month = Math.floor((5 * ofYear + 2) / 153);
  const date = ofYear - Math.floor((153 * month + 2) / 5) + 1;
  return [year + era * 400 + (month < 10 ? 0 : 1), month < 10 ? month + 3 : month - 9, date];
}

function padded(value: number): string {
  return String(value).padStart(2, "0");
}
