/** Matches the answers of the VRRP process to the questions of the control interface. Every question ends, answered or not. */
import type { Milliseconds } from "../vrrp/parameters.ts";
import type { InstanceStatus, InterfaceStatus } from "../vrrp/status.ts";
import type { FromVrrp, Lateness, ToVrrp } from "./messages.ts";

export interface VrrpReply {
  readonly instances: readonly InstanceStatus[];
  readonly interfaces: readonly InterfaceStatus[];
  readonly dropped: number;
  readonly lateness: Lateness;
}

/** The VRRP process cannot tell: the message says why, for the operator. */
export class NoAnswer extends Error {}

type Answer = Extract<FromVrrp, { readonly type: "status" | "status-end" }>;

interface Question {
  readonly instances: InstanceStatus[];
  readonly timer: NodeJS.Timeout;
  resolve(reply: VrrpReply): void;
  reject(error: NoAnswer): void;
}

/** A child that stands still must not collect questions without end. */
const maxOpen = 32;

export class StatusRequests {
  readonly #limit: Milliseconds;
  readonly #open = new Map<number, Question>();
  #lastId = 0;

  constructor(limit: Milliseconds) {
    this.#limit = limit;
  }

  ask(send: (message: ToVrrp) => void, instance: string | undefined): Promise<VrrpReply> {
    if (this.#open.size >= maxOpen) {
      return Promise.reject(new NoAnswer(`the vrrp process has ${maxOpen} status requests to answer already`));
    }
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#open.delete(id);
        reject(new NoAnswer(`the vrrp process did not answer within ${this.#limit / 1000} s`));
      }, this.#limit);
      this.#open.set(id, { instances: [], timer, resolve, reject });
      send({ type: "status", id, ...(instance === undefined ? {} : { instance }) });
    });
  }

  /** Answers to questions that have been given up are dropped. */
  receive(answer: Answer): void {
    const question = this.#open.get(answer.id);
    if (question === undefined) return;
    if (answer.type === "status") {
      question.instances.push(answer.instance);
      return;
    }
    this.#close(answer.id, question);
    const { interfaces, dropped, lateness } = answer;
    question.resolve({ instances: question.instances, interfaces, dropped, lateness });
  }

  fail(why: string): void {
    for (const [id, question] of this.#open) {
      this.#close(id, question);
      question.reject(new NoAnswer(why));
    }
  }

  #close(id: number, question: Question): void {
    clearTimeout(question.timer);
    this.#open.delete(id);
  }
}
