/** What does not go together, for as long as it lasts: each message is told when it comes, and when it has gone. */
export class Standing {
  readonly #tell: (level: "info" | "warn", message: string) => void;
  #told: ReadonlySet<string> = new Set();

  constructor(tell: (level: "info" | "warn", message: string) => void) {
    this.#tell = tell;
  }

  /** All there is now. */
  report(warnings: readonly string[], notes: readonly string[]): void {
    const told = new Set([...warnings, ...notes]);
    for (const message of told) {
      if (!this.#told.has(message)) this.#tell(warnings.includes(message) ? "warn" : "info", message);
    }
    for (const message of this.#told) if (!told.has(message)) this.#tell("info", `no longer so: ${message}`);
    this.#told = told;
  }
}
