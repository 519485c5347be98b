export function quantile(values, q) {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const low = Math.floor(position);
  const high = sorted[Math.min(low + 1, sorted.length - 1)];
  return sorted[low] + (high - sorted[low]) * (position - low);
}

export const median = (values) => quantile(values, 0.5);
export const largest = (values) => values.reduce((max, value) => Math.max(max, value), Number.NEGATIVE_INFINITY);
