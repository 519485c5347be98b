/** Numbers and rates of traffic as people read them. */

/** "0", "3.2", "850", "12.4 k", "3.1 M" */
export function formatCount(value: number): string {
  if (value < 1000) return Number.isInteger(value) ? String(value) : value.toFixed(1);
  return scaled(value, ["k", "M", "G", "T", "P"]);
}

/** "850 B", "12.4 kB", "3.1 MB" */
export function formatBytes(value: number): string {
  return value < 1000 ? `${Math.round(value)} B` : scaled(value, ["kB", "MB", "GB", "TB", "PB"]);
}

function scaled(value: number, units: readonly string[]): string {
  let rest = value;
  let unit = "";
  for (const each of units) {
    rest /= 1000;
    unit = each;
    if (rest < 999.95) break;
  }
  return `${rest < 100 ? rest.toFixed(1) : Math.round(rest)} ${unit}`;
}

/** "1 server", "3 servers" */
export function countOf(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}
