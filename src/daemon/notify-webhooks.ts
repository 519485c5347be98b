/** The webhooks of all that is told about: those with the same settings are one, and keep their order. */
import type { NotifySubject, WebhookParameters } from "../config/notify.ts";
import type { WebhookStatus } from "./notify-status.ts";
import { Webhook, type WebhookOptions } from "./webhook.ts";

type Told = Pick<NotifySubject, "webhooks">;

export class NotifyWebhooks {
  readonly #options: WebhookOptions;
  readonly #open = new Map<string, Webhook>();

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  configure(subjects: readonly Told[]): void {
    const wanted = new Map(subjects.flatMap(({ webhooks }) => webhooks.map((each) => [keyOf(each), each])));
    // One that still has something to tell is kept until the next time.
    for (const [key, webhook] of this.#open) if (!wanted.has(key) && webhook.idle) this.#open.delete(key);
    for (const parameters of wanted.values()) this.#get(parameters);
  }

  tell(subject: Told, document: Readonly<Record<string, unknown>>): void {
    for (const parameters of subject.webhooks) this.#get(parameters).send(document);
  }

  async stop(limit: number): Promise<void> {
    await Promise.all([...this.#open.values()].map((webhook) => webhook.close(limit)));
  }

  status(): WebhookStatus[] {
    return [...this.#open.values()].map((webhook) => webhook.status());
  }

  #get(parameters: WebhookParameters): Webhook {
    const key = keyOf(parameters);
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const opened = new Webhook(parameters, this.#options);
    this.#open.set(key, opened);
    return opened;
  }
}

function keyOf(parameters: WebhookParameters): string {
  return JSON.stringify(parameters);
}
