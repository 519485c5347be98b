/**
 * What one health check is told to do: the shape the configuration fills in and the checks process obeys.
 * Plain values that survive JSON; every field is resolved, defaults included.
 */
import type { TypeParameters } from "./types.ts";

/** Milliseconds, fractions allowed. */
export type Milliseconds = number;
/** A point on the monotonic clock, in milliseconds. */
export type Instant = number;

export interface CommonParameters {
  readonly name: string;
  /** From the start of one run to the start of the next. */
  readonly interval: Milliseconds;
  /** For one run as a whole, however many steps it has. */
  readonly timeout: Milliseconds;
  /** Successes in a row that make it up. */
  readonly rise: number;
  /** Failures in a row that make it down. */
  readonly fall: number;
  /** Each start is put off by a random part of this. */
  readonly jitter: Milliseconds;
  /** The interval while results speak against the present verdict. */
  readonly fastInterval: Milliseconds;
  /** What counts until there is a result; of "unknown" the first one decides alone. */
  readonly initial: "unknown" | "up" | "down";
}

/** One of the types of `types.ts`, told apart by `type`. */
export type CheckParameters = CommonParameters & TypeParameters;
export type CheckTypeName = TypeParameters["type"];
