/** What a page has to be like: the keys of `type: http` that count for its URL, and for each of its `pages`. */
import { z } from "zod";
import type { DigestName } from "../healthchecks/http-body.ts";
import type { HttpPage, PageRules } from "../healthchecks/http-judge.ts";
import { required, standard, unset } from "./keys.ts";
import { boolean, expected, secret, text } from "./kinds.ts";
import type { Path } from "./problem.ts";
import type { Report } from "./report.ts";

/** A password or token may stand here. */
export const headerValue = secret("the value of a header, on one line", (value) =>
  /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? undefined : ", in characters that a header can have",
);

export const regex = text("a regular expression", (value) => {
  try {
    new RegExp(value);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^.*: /, "") : "";
  }
});
/** Status codes of three digits: one, a range, or a list of them. */
export function statusCodeRanges(least: number, most: number) {
  const statusRule = `a status code from ${least} to ${most}, a range like 200-399, or a list of them`;
  const statusCode = z
    .union([z.number(), z.string()], { error: ({ input }) => expected(statusRule, input) })
    .transform((value, context): [number, number] => {
      const [, low = "", high = low] = /^(\d{3})(?:-(\d{3}))?$/.exec(String(value)) ?? [];
      const range: [number, number] = [Number(low), Number(high)];
      if (low !== "" && range[0] >= least && range[1] <= most && range[0] <= range[1]) return range;
      context.issues.push({ code: "custom", input: value, message: expected(statusRule, value) });
      return z.NEVER;
    });
  return z
    .union([statusCode.transform((range) => [range]), z.array(statusCode).min(1)])
    .meta({ "x-bounds": statusRule });
}

const statusCodes = statusCodeRanges(100, 599);

const digestLengths: Readonly<Record<number, DigestName>> = { 32: "md5", 64: "sha256" };
const digest = text("an MD5 of 32 or a SHA-256 of 64 hexadecimal digits", (value) =>
  /^[0-9a-f]*$/i.test(value) && digestLengths[value.length] !== undefined ? undefined : "",
);

export const pageKeys = {
  virtualhost: unset(headerValue, "the host of url", "The Host header."),
  status_code: standard(statusCodes, "200-299", "Status codes that are a success."),
  body: unset(
    text("text", (value) => (value === "" ? "" : undefined)),
    "anything",
    "Text that the body must contain. Its first 256 KiB are looked at.",
  ),
  body_regex: unset(regex, "anything", "Regular expression that the body must match; a dot matches line ends, too."),
  regex_no_match: standard(boolean(), false, "true: the body must not match body_regex."),
  digest: unset(digest, "any", "MD5 or SHA-256 of the whole body, as it is once its transfer coding is undone."),
};

const path = text("a path that begins with /, without #", (value) => {
  if (/^https?:/i.test(value)) return "the host is that of url";
  return value.startsWith("/") && !/[#\s\p{Cc}]/u.test(value) ? undefined : "";
});

export const pageBlock = z.strictObject({
  path: required(path, "What is asked for, with the query if there is one."),
  ...pageKeys,
  virtualhost: unset(headerValue, "that of the check", "The Host header."),
});

export const pages = z
  .array(
    z.union([path.transform((value) => ({ path: value })), pageBlock], {
      error: ({ input }) => expected(pageRule, input),
    }),
  )
  .meta({ "x-bounds": "a list of paths, and of maps, see below" });
const pageRule = "a path that begins with /, or a map with path";

export interface PageValues {
  readonly status_code?: readonly (readonly (number | undefined)[] | undefined)[] | undefined;
  readonly body?: string | undefined;
  readonly body_regex?: string | undefined;
  readonly regex_no_match?: boolean | undefined;
  readonly digest?: string | undefined;
}

export function resolveRules(values: PageValues, method: string | undefined, path: Path, report: Report): PageRules {
  const { status_code: codes, body, body_regex: bodyRegex, regex_no_match: noMatch = false, digest } = values;
  if (method === "HEAD") {
    for (const key of ["body", "body_regex", "digest"] as const) {
      if (values[key] !== undefined) report.error([...path, key], "an answer to HEAD has no body: write method: GET");
    }
  }
  if (noMatch && !report.isGiven([...path, "body_regex"])) {
    report.error([...path, "regex_no_match"], "needs body_regex, which must not match");
  }
  const name = digest === undefined ? undefined : digestLengths[digest.length];
  return {
    statusCodes: codes?.map((range) => [range?.[0] ?? 0, range?.[1] ?? 0] as const) ?? [[200, 299]],
    ...(body === undefined ? {} : { body }),
    ...(bodyRegex === undefined ? {} : { bodyRegex, ...(noMatch ? { noMatch } : {}) }),
    ...(digest === undefined || name === undefined ? {} : { digest: { name, value: digest.toLowerCase() } }),
  };
}

export function resolvePages(
  values: readonly (
    | (PageValues & { readonly path?: string | undefined; readonly virtualhost?: string | undefined })
    | undefined
  )[],
  method: string | undefined,
  path: Path,
  report: Report,
): HttpPage[] {
  return values.flatMap((page, i) => {
    if (page?.path === undefined) return [];
    const { path: target, virtualhost: host } = page;
    return [
      { path: target, ...(host === undefined ? {} : { host }), ...resolveRules(page, method, [...path, i], report) },
    ];
  });
}

export function describeRules({ statusCodes, body, bodyRegex, noMatch, digest }: PageRules) {
  return {
    status_code: statusCodes.map(([low, high]) => (low === high ? low : `${low}-${high}`)),
    body,
    body_regex: bodyRegex,
    regex_no_match: bodyRegex === undefined ? undefined : noMatch === true,
    digest: digest?.value,
  };
}

export function describePage({ path, host, ...rules }: HttpPage): object {
  const entries = Object.entries({ path, virtualhost: host, ...describeRules(rules) });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
