/** Times and durations as people read them. */

/** "12:04:05.123", local time. */
export function formatClock(at: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  return `${clock}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** "12:04:05", with the date when that is not today's. */
export function formatMoment(at: Date, now: Date): string {
  const clock = formatClock(at).slice(0, 8);
  return at.toDateString() === now.toDateString() ? clock : `${at.toLocaleDateString("sv")} ${clock}`;
}

/** Two units at most: "3 d 4 h", "12 min 5 s", "3.6 s", "250 ms". */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${trim(Math.floor(ms / 100) / 10)} s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return two(minutes, "min", seconds % 60, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return two(hours, "h", minutes % 60, "min");
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** An interval from the configuration: exact, "1 s", "250 ms", "12.5 ms". */
export function formatInterval(milliseconds: number): string {
  return milliseconds >= 1000 ? `${trim(milliseconds / 1000)} s` : `${trim(milliseconds)} ms`;
}

/** How long something took: "0.42 ms", "12 ms", "1.5 s". */
export function formatLatency(milliseconds: number): string {
  return milliseconds < 10 ? `${trim(milliseconds)} ms` : formatDuration(milliseconds);
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

function trim(value: number): string {
  return String(Number(value.toFixed(2)));
}
