/** The key `steps` of `type: tcp`, and text that stands for bytes. */
import { z } from "zod";
import { longestAnswer } from "../healthchecks/limits.ts";
import type { ExpectStep, Step } from "../healthchecks/tcp-steps.ts";
import { regex } from "./check-http-page.ts";
import { standard, unset } from "./keys.ts";
import { boolean, expected, quoteHint, text, whole } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";

const longestSent = 16 * 1024;
const plain: Readonly<Record<string, number>> = { r: 0x0d, n: 0x0a, t: 0x09, "0": 0x00, "\\": 0x5c };

/** Hexadecimal; or what is wrong with it. */
export function readEscapes(value: string): { readonly hex: string } | { readonly complaint: string } {
  let hex = "";
  for (const [part] of value.matchAll(/\\x[0-9a-f]{2}|\\[\s\S]|\\$|[^\\]+/gi)) {
    const [first, letter = ""] = part;
    if (first !== "\\") hex += Buffer.from(part, "utf8").toString("hex");
    else if (part.length === 4) hex += part.slice(2).toLowerCase();
    else if (plain[letter] !== undefined) hex += Buffer.of(plain[letter]).toString("hex");
    else return { complaint: `${part} is no escape: write \\\\ for a backslash` };
  }
  return { hex };
}

/** What `readEscapes` makes the same bytes of. */
export function writeEscapes(hex: string): string {
  const names = Object.fromEntries(Object.entries(plain).map(([letter, code]) => [code, `\\${letter}`]));
  return [...Buffer.from(hex, "hex")]
    .map((code) => {
      if (names[code] !== undefined) return names[code];
      return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : `\\x${code.toString(16).padStart(2, "0")}`;
    })
    .join("");
}

/** Text with escapes, in hexadecimal. `quiet`: it may be secret and is not repeated. */
export function escapedText(rule: string, quiet = false) {
  return z
    .string({
      error: ({ input }) => (quiet ? `expected ${rule}: put it in quotes` : expected(rule, input, quoteHint(input))),
    })
    .transform((value, context) => {
      const read = value === "" ? { complaint: "it is empty" } : readEscapes(value);
      if ("hex" in read && read.hex.length <= 2 * longestSent) return read.hex;
      const message = "hex" in read ? `expected at most ${longestSent} bytes` : `expected ${rule}: ${read.complaint}`;
      context.issues.push({ code: "custom", input: value, message });
      return z.NEVER;
    })
    .meta({ type: "string", "x-bounds": rule });
}

const escapes = "text, with \\r, \\n, \\t, \\0, \\xHH and \\\\";
const hex = text("hexadecimal digits, two for each byte", (value) =>
  /^([0-9a-f]{2})+$/i.test(value) && value.length <= 2 * longestSent ? undefined : "",
);

export const stepBlock = z.strictObject({
  send: unset(escapedText(escapes, true), "nothing", "Text that is sent. It is not shown."),
  send_hex: unset(hex, "nothing", "Bytes that are sent. They are not shown."),
  expect: unset(escapedText(escapes), "anything", "Text that must be in what came since the last step that sent."),
  expect_hex: unset(hex, "anything", "Bytes that must be in it."),
  expect_regex: unset(regex, "anything", "Regular expression that it must match; a dot matches line ends, too."),
  not: standard(boolean(), false, "true: it must not be in it, or not match."),
  min_length: unset(
    whole(1, longestAnswer),
    "0; 1 with not",
    "Bytes that have to have come before it is judged; alone: that is all that is expected.",
  ),
});

const kinds = ["send", "send_hex", "expect", "expect_hex", "expect_regex"] as const;

export const steps = z.array(stepBlock).meta({ "x-bounds": "a list of maps, see below" });

type StepValues = {
  readonly [key in (typeof kinds)[number]]?: string | undefined;
} & { readonly not?: boolean | undefined; readonly min_length?: number | undefined };

export function resolveSteps(values: readonly (StepValues | undefined)[], path: Path, report: Report): Step[] {
  if (values.length === 0) report.error(path, "expected at least one step, got an empty list");
  return values.flatMap((step, i) => (step === undefined ? [] : (resolveStep(step, [...path, i], report) ?? [])));
}

function resolveStep(values: StepValues, path: Path, report: Report): Step | undefined {
  const [kind, second] = kinds.filter((key) => report.isGiven([...path, key]));
  if (second !== undefined) {
    report.error([...path, second], `${kind} is given too: write a step for each`);
    return undefined;
  }
  const { not = false, min_length: least } = values;
  if (kind === "send" || kind === "send_hex") {
    for (const key of ["not", "min_length"] as const) {
      if (values[key] !== undefined) report.error([...path, key], "is for steps that expect something");
    }
    const bytes = values[kind]?.toLowerCase();
    return bytes === undefined ? undefined : { do: "send", bytes };
  }
  if (kind === undefined && !report.isGiven([...path, "min_length"])) {
    report.error(path, `expected one of ${kinds.join(", ")} or min_length`);
    return undefined;
  }
  if (kind === undefined && not) {
    report.error([...path, "not"], "needs expect, expect_hex or expect_regex");
    return undefined;
  }
  const what = kind === undefined ? undefined : values[kind];
  const pattern: Pick<ExpectStep, "bytes" | "regex"> =
    what === undefined ? {} : kind === "expect_regex" ? { regex: what } : { bytes: what.toLowerCase() };
  return { do: "expect", ...pattern, ...(not ? { not: true } : {}), minLength: least ?? (not ? 1 : 0) };
}

export function describeStep(step: Step, mask: string | undefined): object {
  if (step.do === "send") return { send: mask ?? writeEscapes(step.bytes) };
  const { bytes, regex, not, minLength } = step;
  return {
    ...(bytes === undefined ? {} : { expect: writeEscapes(bytes) }),
    ...(regex === undefined ? {} : { expect_regex: regex }),
    ...(not === undefined ? {} : { not }),
    ...(minLength === (not ? 1 : 0) ? {} : { min_length: minLength }),
  };
}
