// Collects samples of both products under the same names, and prints them side by side.
import { largest, median, quantile } from "./statistics.mjs";

export class Report {
  /** Row name → { unit, samples: { product: number[] } }, in the order of measuring, by section. */
  sections = [];
  notes = [];

  section(title) {
    this.sections.push({ title, rows: new Map() });
  }

  sample(name, product, value, unit = "") {
    const { rows } = this.sections.at(-1);
    const row = rows.get(name) ?? { unit, samples: {} };
    rows.set(name, row);
    row.samples[product] ??= [];
    row.samples[product].push(value);
  }

  note(text) {
    this.sections.at(-1).notes ??= [];
    this.sections.at(-1).notes.push(text);
  }

  row(name) {
    for (const { rows } of this.sections) if (rows.has(name)) return rows.get(name);
    return undefined;
  }

  values(name, product = "viprd") {
    return this.row(name)?.samples[product] ?? [];
  }

  print(write) {
    for (const section of this.sections) write(`${renderSection(section)}\n`);
  }
}

export function renderSection({ title, rows, notes = [], steal, idle, seconds }) {
  const head = ["", "unit", "product", "min", "median", "p95", "max", "n", "ratio"];
  const lines = [head];
  for (const [name, { unit, samples }] of rows) {
    const ratio = median(samples.viprd ?? []) / median(samples.keepalived ?? []);
    for (const [i, product] of Object.keys(samples).sort().reverse().entries()) {
      const values = samples[product];
      const figures = [quantile(values, 0), median(values), quantile(values, 0.95), largest(values)].map(figure);
      const single = values.length === 1;
      lines.push([
        i === 0 ? name : "",
        i === 0 ? unit : "",
        product,
        ...(single ? ["", figures[1], "", ""] : figures),
        String(values.length),
        i === 0 && Number.isFinite(ratio) && ratio > 0 ? ratio.toFixed(2) : "",
      ]);
    }
  }
  const noise =
    seconds === undefined ? "" : `  [${seconds.toFixed(0)} s; steal ${percent(steal)}, idle ${percent(idle)}]`;
  return [`${title}${noise}`, ...align(lines), ...notes.map((note) => `  note: ${note}`)].join("\n");
}

export function align(lines, left = 3) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) =>
    `  ${line.map((cell, i) => (i < left ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ")}`.trimEnd(),
  );
}

export function figure(value) {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  return size >= 1000
    ? value.toFixed(0)
    : size >= 100
      ? value.toFixed(1)
      : size >= 10
        ? value.toFixed(2)
        : value.toFixed(3);
}

export const percent = (share) => `${(share * 100).toFixed(1)} %`;
