/**
 * One thing at a time: a dump of IPVS that runs beside a change misses entries, or repeats them, and nothing says so.
 * Changes go before dumps that still wait, and keep their order.
 */
export class Turns {
  readonly #changes: (() => Promise<void>)[] = [];
  readonly #dumps: (() => Promise<void>)[] = [];
  #busy = false;

  change<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue(this.#changes, work);
  }

  dump<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue(this.#dumps, work);
  }

  #queue<T>(queue: (() => Promise<void>)[], work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      queue.push(() => work().then(resolve, reject));
      if (!this.#busy) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#busy = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) await next();
    this.#busy = false;
  }

  #next(): (() => Promise<void>) | undefined {
    return this.#changes.shift() ?? this.#dumps.shift();
  }
}
