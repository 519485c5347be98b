/** What a check of a database asks, and what has to come back. */
import type { Conversation } from "./conversation.ts";

export interface Query {
  readonly text: string;
  /** Values of the first row, from its first column on, as text. Empty: there has to be a row. */
  readonly row: readonly string[];
}

/** A value is text, or null for NULL. */
export type Row = readonly (string | null)[];

/** Columns of a row that are looked at. */
export const mostColumns = 100;

/** What was found; throws when it is not what has to be. */
export function judgeRows(peer: Conversation, query: Query, first: Row | undefined): string {
  if (first === undefined) throw new Error("no row");
  const wrong = query.row.findIndex((wanted, i) => first[i] !== wanted);
  if (wrong < 0) return `the query found ${show(peer, first)}`;
  const where = query.row.length === 1 ? "" : ` in column ${wrong + 1}`;
  throw new Error(`${show(peer, first)} instead of ${JSON.stringify(query.row[wrong])}${where}`);
}

function show(peer: Conversation, row: Row): string {
  return peer.quote(row.map((value) => value ?? "NULL").join(", "));
}
