/** What a keeper tells about its work: each line at most once a second, however often it happens. */
import type { Host } from "./host.ts";
import { Limiter } from "./limiter.ts";

export class Voice {
  readonly #host: Host;
  /** Undefined for what is held whatever the roles are. */
  readonly #instance: string | undefined;
  readonly #limiter = new Limiter(1000);

  constructor(host: Host, instance: string | undefined) {
    this.#host = host;
    this.#instance = instance;
  }

  /** Something was put right. Lines about one `subject` are limited together. */
  repaired(subject: string, message: string): void {
    this.#tell("repair", subject, message);
  }

  /** Something is not as it should be, and stays so for the time being. */
  warn(subject: string, message: string): void {
    this.#tell("warning", subject, message);
  }

  /** For the log only. */
  complain(message: string): void {
    if (this.#limiter.allow(message, this.#host.now()) === undefined) return;
    this.#host.log("error", this.#instance, message);
  }

  #tell(kind: "repair" | "warning", subject: string, text: string): void {
    const suppressed = this.#limiter.allow(`${kind} ${subject}`, this.#host.now());
    if (suppressed === undefined) return;
    const message = suppressed > 0 ? `${text} (and ${suppressed} times more)` : text;
    const at = this.#host.wallClock();
    if (this.#instance === undefined) this.#host.event({ type: `static_${kind}`, at, message });
    else this.#host.event({ type: kind, at, instance: this.#instance, message });
  }
}
