/** "Did you mean": the known word nearest to a mistyped one. */

/** Damerau-Levenshtein distance (optimal string alignment): a swap of neighbours counts once. */
export function distance(a: string, b: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (older[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    older = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** The nearest of `words`, if it is near enough to be what was meant. */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  const plain = normal(word);
  if (plain.length > 60) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(plain.length / 3)) + 1;
  for (const candidate of words) {
    const found = distance(plain, normal(candidate));
    if (found < bestDistance) {
      best = candidate;
      bestDistance = found;
    }
  }
  return best;
}

/** Case and the choice between `-`, `_` and a space are no difference. */
function normal(word: string): string {
  return word.toLowerCase().replace(/[-\s]/g, "_");
}
