/** Text in the words of ip(8): words with a value after them, words alone, in any order. Pure. */
import { nearest } from "./suggest.ts";

export interface Word {
  readonly text: string;
  /** From 1. */
  readonly at: number;
}

export interface Vocabulary {
  /** Words followed by a value, with the field they fill. */
  readonly options: Readonly<Record<string, string>>;
  /** Words alone, with the field and its value. */
  readonly flags: Readonly<Record<string, readonly [field: string, value: unknown]>>;
  /** Words of ip or of keepalived that have no place here, and what to do about them. */
  readonly advice: Readonly<Record<string, string>>;
}

const notSupported = "not supported in this version";
const untracked = "not needed here: on_removal of the instance says what happens when somebody removes something";

/** Of routes and rules. */
export const sharedAdvice = { no_track: untracked, track_group: untracked, realms: notSupported };
/** Conditions and options of the kernel that viprd does not know. */
export function unsupported(...words: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(words.map((word) => [word, notSupported]));
}

export interface Phrase {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Where the value of each field stands. */
  readonly words: Readonly<Record<string, number>>;
}

export function wordsOf(text: string): Word[] {
  const words = text.split(/\s+/).filter((word) => word !== "");
  return words.map((word, i) => ({ text: word, at: i + 1 }));
}

/** `"vai" (word 2)` */
export function quoteWord({ text, at }: Word): string {
  return `${JSON.stringify(text)} (word ${at})`;
}

/** Fields, or what is wrong with the words. */
export function parsePhrase(words: readonly Word[], { options, flags, advice }: Vocabulary): Phrase | string {
  const fields: Record<string, unknown> = {};
  const places: Record<string, number> = {};
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === undefined) break;
    const flag = Object.hasOwn(flags, word.text) ? flags[word.text] : undefined;
    const option = Object.hasOwn(options, word.text) ? options[word.text] : undefined;
    const field = flag?.[0] ?? option;
    if (field === undefined) {
      const known = Object.hasOwn(advice, word.text) ? advice[word.text] : undefined;
      if (known !== undefined) return `${quoteWord(word)}: ${known}`;
      const near = nearest(word.text, [...Object.keys(options), ...Object.keys(flags)]);
      return `unknown word ${quoteWord(word)}${near === undefined ? "" : `, did you mean ${near}?`}`;
    }
    if (places[field] !== undefined) {
      return `${quoteWord(word)} says again what word ${places[field]} says: keep one of them`;
    }
    if (flag !== undefined) {
      fields[field] = flag[1];
      places[field] = word.at;
      continue;
    }
    i++;
    const value = words[i];
    if (value === undefined) return `${quoteWord(word)} needs a value after it`;
    fields[field] = value.text;
    places[field] = value.at;
  }
  return { fields, words: places };
}

/** What a check of the fields found, with the word it is about. */
export function complaintAbout(
  field: string,
  message: string,
  words: Readonly<Record<string, number | undefined>>,
): string {
  const at = words[field];
  return at === undefined ? `${field}: ${message}` : `${field} (word ${at}): ${message}`;
}
