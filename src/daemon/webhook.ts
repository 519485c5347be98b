/** Posts documents to one URL, in order, each until it is taken or given up. Bounded, and nobody waits for it. */
import { maskUrl, type WebhookParameters } from "../config/notify.ts";
import type { Log } from "./log.ts";
import type { WebhookStatus } from "./notify-status.ts";
import { type Outcome, postJson } from "./webhook-post.ts";

/** Documents that wait; of more the oldest are dropped and counted. */
const mostWaiting = 1000;
const firstDelay = 1000;
const longestDelay = 60_000;

export interface WebhookOptions {
  readonly log: Log;
  readonly userAgent: string;
  readonly post?: typeof postJson;
  readonly firstDelay?: number;
}

export class Webhook {
  readonly #parameters: WebhookParameters;
  readonly #options: WebhookOptions;
  readonly #name: string;
  readonly #waiting: string[] = [];
  readonly #stop = new AbortController();
  #working: Promise<void> | undefined;
  #sent = 0;
  #failed = 0;
  #dropped = 0;
  #last: WebhookStatus["last"] = null;
  #hurry = false;
  #skipDelay: (() => void) | undefined;

  constructor(parameters: WebhookParameters, options: WebhookOptions) {
    this.#parameters = parameters;
    this.#options = options;
    this.#name = maskUrl(parameters.url, "…");
  }

  send(document: Readonly<Record<string, unknown>>): void {
    this.#waiting.push(JSON.stringify(document));
    if (this.#waiting.length > mostWaiting) {
      this.#waiting.shift();
      this.#dropped += 1;
      this.#options.log.error(
        `webhook ${this.#name}: more than ${mostWaiting} transitions wait, the oldest are dropped`,
      );
    }
    this.#working ??= this.#work();
  }

  get idle(): boolean {
    return this.#working === undefined;
  }

  status(): WebhookStatus {
    const [sent, failed, dropped, waiting] = [this.#sent, this.#failed, this.#dropped, this.#waiting.length];
    return { url: this.#name, sent, failed, dropped, waiting, last: this.#last };
  }

  /** Posts what waits, without pauses and second attempts, until `limit` milliseconds have passed. */
  async close(limit: number): Promise<void> {
    this.#hurry = true;
    this.#skipDelay?.();
    const timer = setTimeout(() => this.#stop.abort(), limit);
    await this.#working;
    clearTimeout(timer);
    if (this.#waiting.length > 0) {
      this.#options.log.error(`webhook ${this.#name}: no time was left for ${this.#waiting.length} transitions`);
    }
  }

  async #work(): Promise<void> {
    for (let body = this.#waiting.shift(); body !== undefined; body = this.#waiting.shift()) {
      if (this.#stop.signal.aborted) {
        this.#waiting.unshift(body);
        break;
      }
      const outcome = await this.#deliver(body);
      if (outcome.ok) this.#sent += 1;
      else this.#giveUp(outcome);
    }
    this.#working = undefined;
  }

  async #deliver(body: string): Promise<Outcome> {
    const { url, headers, timeout, retries } = this.#parameters;
    const { userAgent, post = postJson, log } = this.#options;
    let delay = this.#options.firstDelay ?? firstDelay;
    for (let attempt = 0; ; attempt++) {
      const outcome = await post({
        url,
        headers: { "user-agent": userAgent, ...headers },
        body,
        timeout,
        signal: this.#stop.signal,
      });
      this.#last = { at: new Date().toISOString(), ok: outcome.ok, message: outcome.message };
      if (outcome.ok || outcome.final || attempt >= retries || this.#hurry) return outcome;
      log.warn(`webhook ${this.#name}: ${outcome.message}; tried again in ${delay / 1000} s`);
      await this.#pause(delay);
      delay = Math.min(2 * delay, longestDelay);
    }
  }

  #giveUp({ message }: Outcome): void {
    this.#failed += 1;
    this.#options.log.error(`webhook ${this.#name}: a transition could not be told: ${message}`);
  }

  #pause(delay: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#skipDelay = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#hurry) this.#skipDelay();
    });
  }
}
