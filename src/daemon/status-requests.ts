/** Matches the answers of a child to the questions of the control interface. Every question ends, answered or not. */
import type { Milliseconds } from "../vrrp/parameters.ts";

/** The child cannot tell: the message says why, for the operator. */
export class NoAnswer extends Error {}

export interface Reply<Item, End> {
  readonly items: readonly Item[];
  readonly end: End;
}

interface Question<Item, End> {
  readonly items: Item[];
  readonly timer: NodeJS.Timeout;
  resolve(reply: Reply<Item, End>): void;
  reject(error: NoAnswer): void;
}

/** A child that stands still must not collect questions without end. */
const maxOpen = 32;

/** An answer is any number of items, and an end. */
export class StatusRequests<Item, End> {
  readonly #who: string;
  readonly #limit: Milliseconds;
  readonly #open = new Map<number, Question<Item, End>>();
  #lastId = 0;

  /** `who` is asked, as "the vrrp process". */
  constructor(who: string, limit: Milliseconds) {
    this.#who = who;
    this.#limit = limit;
  }

  ask(send: (id: number) => void): Promise<Reply<Item, End>> {
    if (this.#open.size >= maxOpen) {
      return Promise.reject(new NoAnswer(`${this.#who} has ${maxOpen} status requests to answer already`));
    }
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#open.delete(id);
        reject(new NoAnswer(`${this.#who} did not answer within ${this.#limit / 1000} s`));
      }, this.#limit);
      this.#open.set(id, { items: [], timer, resolve, reject });
      send(id);
    });
  }

  /** Answers to questions that have been given up are dropped. */
  item(id: number, item: Item): void {
    const question = this.#open.get(id);
    question?.items.push(item);
    // Who tells much is not silent.
    question?.timer.refresh();
  }

  end(id: number, end: End): void {
    const question = this.#open.get(id);
    if (question === undefined) return;
    this.#close(id, question);
    question.resolve({ items: question.items, end });
  }

  fail(why: string): void {
    for (const [id, question] of this.#open) {
      this.#close(id, question);
      question.reject(new NoAnswer(why));
    }
  }

  #close(id: number, question: Question<Item, End>): void {
    clearTimeout(question.timer);
    this.#open.delete(id);
  }
}
