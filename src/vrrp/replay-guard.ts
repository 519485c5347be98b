/**
 * The newest sequence number of each sender. Only packets whose code was verified come here, so that nobody without the
 * key can raise a mark or push one out.
 */
import { equalAddresses, type IpAddress } from "../wire/address.ts";
import { isAfter, type Sequence } from "./sequence.ts";

interface Mark {
  readonly source: IpAddress;
  sequence: Sequence;
}

export class ReplayGuard {
  /** The least recently heard sender first. */
  readonly #marks: Mark[] = [];
  #most = 1;

  /** So many senders from now on. */
  remember(most: number): void {
    this.#most = most;
    while (this.#marks.length > most) this.#marks.shift();
  }

  markOf(source: IpAddress): Sequence | undefined {
    return this.#marks.find((mark) => equalAddresses(mark.source, source))?.sequence;
  }

  /** Whether the sequence number is newer than all before it from that sender; if so it is the newest from now on. */
  admit(source: IpAddress, sequence: Sequence, isForgotten: (mark: Sequence) => boolean): boolean {
    const at = this.#marks.findIndex((mark) => equalAddresses(mark.source, source));
    const known = this.#marks[at];
    if (known === undefined) {
      // The datagram is a view of the receive buffer.
      this.#marks.push({ source: new Uint8Array(source), sequence });
      if (this.#marks.length > this.#most) this.#marks.shift();
      return true;
    }
    if (!isForgotten(known.sequence) && !isAfter(sequence, known.sequence)) return false;
    known.sequence = sequence;
    if (at < this.#marks.length - 1) this.#marks.push(...this.#marks.splice(at, 1));
    return true;
  }
}
