/** "12 × checksum, 3 × ttl", the most frequent first. */
export function countsOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count} × ${name}`)
    .join(", ");
}

/** "once", "3 times" */
export function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
