/**
 * Holds routes and rules in the kernel and keeps them there: desired against actual, by what the kernel reports. What
 * cannot be added yet (a gateway that nothing leads to, an interface that is down) is tried again and told, and is no
 * reason to give anything else up. What is not ours stays as it is, unless it took the place of something of ours.
 */
import { newEntry } from "./deadlines.ts";
import type { Host, Refusal } from "./host.ts";
import type { Instant, Milliseconds } from "./parameters.ts";
import { RepairPace } from "./repair-pace.ts";
import { describeStranger } from "./route-entry.ts";
import type { Claimant, KernelObject, RoutingRequest } from "./routing.ts";
import type { OnRemoval, RoutingParameters } from "./routing-parameters.ts";
import type { Standing } from "./routing-plan.ts";
import { alteredOf, describeLoss, isOurs, routeThing, ruleThing, standingOf, type Thing } from "./routing-things.ts";
import type { RoutingStatus } from "./status.ts";
import type { Voice } from "./voice.ts";

/**
 * put: it is there because of us · doubted: something happened at its place · waiting: it is to be added ·
 * foreign: the same was there already, of somebody else · left: it was removed and is to stay so
 */
type Condition = "put" | "doubted" | "waiting" | "foreign" | "left";

interface Item {
  readonly thing: Thing;
  condition: Condition;
  /** As given to the kernel last. */
  object: KernelObject | undefined;
  /** Why it is not there. */
  error: string | undefined;
  /** What became of it before, when it was there and could not be put back. */
  loss: string | undefined;
  /** Of the last change at its place: the news of our own may be the first. */
  port: number | undefined;
}

/** Requests in one system call; the rest waits until no protocol deadline is due. */
const portion = 32;
/** From the report of a change to the look at what is there: events of one doing come together. */
const settling: Milliseconds = 5;
const firstRetry: Milliseconds = 50;
const longestRetry: Milliseconds = 5000;
const already = new Set(["ESRCH", "ENOENT", "ENODEV"]);

export class RoutingKeeper implements Claimant {
  readonly #host: Host;
  readonly #voice: Voice;
  /** Somebody took something away and the role is to be given up for it. */
  readonly #lost: (message: string) => void;
  readonly #timer = newEntry((now) => this.#settle(now));
  readonly #pace = new RepairPace();
  #items = new Map<string, Item>();
  #onRemoval: OnRemoval = "repair";
  #holding = false;
  #due: Instant | undefined;
  #retry: Milliseconds = firstRetry;

  constructor(host: Host, voice: Voice, lost: (message: string) => void) {
    this.#host = host;
    this.#voice = voice;
    this.#lost = lost;
  }

  /** Takes new lists; while holding, only the difference is touched. */
  configure({ routes, rules, onRemoval }: RoutingParameters): void {
    this.#onRemoval = onRemoval;
    const former = this.#items;
    for (const item of former.values())
      if (item.condition === "left" && onRemoval === "repair") item.condition = "waiting";
    const things = [...routes.map(routeThing), ...rules.map(ruleThing)];
    this.#items = new Map(things.map((thing) => [thing.place, this.#itemFor(thing, former.get(thing.place))]));
    const gone = [...former.values()].filter(({ thing }) => !this.#items.has(thing.place));
    for (const { thing } of this.#items.values()) this.#host.routing.claim(thing.place, this, thing.part);
    this.#remove(gone);
    for (const { thing } of gone) this.#host.routing.abandon(thing.place, this);
    if (this.#holding) this.#settle(this.#host.now());
  }

  /** One that is configured otherwise than before takes the place of its predecessor in one step. */
  #itemFor(thing: Thing, former: Item | undefined): Item {
    if (former?.thing.identity === thing.identity) return former;
    const condition = former?.condition === "put" || former?.condition === "doubted" ? "put" : "waiting";
    const item: Item = { thing, condition, object: undefined, error: undefined, loss: undefined, port: undefined };
    const object = thing.object(this.#host);
    if (condition === "waiting" || former?.object === undefined) return item;
    if (typeof object === "string") {
      item.condition = "waiting";
      this.#delete([former.object]);
      return item;
    }
    const request = this.#request(item, object, "replace", undefined);
    const done = (error?: Refusal) => {
      // What is not configured any more must not stay, even if nothing can take its place yet.
      if (error !== undefined && former.object !== undefined) this.#delete([former.object]);
      request.done(error);
    };
    this.#host.routing.perform([{ ...request, done }]);
    return item;
  }

  holds(place: string): boolean {
    const item = this.#items.get(place);
    return this.#holding && (item?.condition === "put" || item?.condition === "doubted");
  }

  hold(): void {
    this.#holding = true;
    this.#retry = firstRetry;
    for (const item of this.#items.values()) item.condition = "waiting";
    this.#settle(this.#host.now());
  }

  release(): void {
    if (!this.#holding) return;
    this.#holding = false;
    this.#wakeAt(undefined);
    this.#host.routing.waits(this, false);
    // What uses the others goes first.
    this.#remove([...this.#items.values()].reverse());
    for (const item of this.#items.values()) {
      item.condition = "waiting";
      item.error = undefined;
      item.loss = undefined;
    }
  }

  changed(place: string, port: number | undefined): void {
    const item = this.#items.get(place);
    if (!this.#holding || item === undefined || item.condition === "left") return;
    const now = this.#host.now();
    if (item.condition === "put") {
      item.condition = "doubted";
      item.port = port;
    } else if (item.condition === "doubted") item.port = port ?? item.port;
    else if (item.condition === "foreign") item.condition = "waiting";
    this.#wakeAt(now + (item.condition === "doubted" ? this.#pace.delay(now) : settling));
  }

  /** What waits may be possible now. */
  surroundingsChanged(): void {
    this.#retry = firstRetry;
    this.#wakeAt(this.#host.now() + settling);
  }

  status(kind: Thing["kind"]): RoutingStatus[] {
    const items = [...this.#items.values()].filter(({ thing }) => thing.kind === kind);
    return items.map(({ thing, error }) => {
      const object = thing.object(this.#host);
      const standing = typeof object === "string" ? "absent" : standingOf(this.#host, object).state;
      const present = standing === "present" || standing === "foreign";
      return { text: thing.text, present, foreign: standing === "foreign", error: error ?? null };
    });
  }

  #wakeAt(at: Instant | undefined): void {
    if (at !== undefined && this.#due !== undefined && this.#due <= at) return;
    this.#due = at;
    this.#host.scheduleBackground(this.#timer, at);
  }

  /** Compares what is not certain with the kernel's tables. */
  #settle(now: Instant, goingOn = false): void {
    this.#due = undefined;
    if (!this.#holding) return;
    const requests: RoutingRequest[] = [];
    let repaired = false;
    for (const item of this.#items.values()) {
      if (item.condition !== "doubted" && item.condition !== "waiting") continue;
      if (requests.length === portion) {
        this.#host.soon(() => this.#settle(this.#host.now(), true));
        break;
      }
      const object = item.thing.object(this.#host);
      if (typeof object === "string") {
        item.condition = "waiting";
        this.#failed(item, `interface ${object} does not exist`);
        continue;
      }
      const standing = standingOf(this.#host, object);
      const request =
        item.condition === "doubted" ? this.#review(item, object, standing) : this.#attempt(item, object, standing);
      // The role was given up meanwhile.
      if (!this.#holding) return;
      if (request === undefined) continue;
      repaired ||= item.condition === "doubted";
      item.condition = "put";
      requests.push(request);
    }
    if (repaired && !goingOn) this.#pace.repaired(now);
    this.#host.routing.perform(requests);
    this.#retryLater(now);
  }

  /** Something that was ours: whether it still is, and what to do if not. */
  #review(item: Item, object: KernelObject, standing: Standing): RoutingRequest | undefined {
    if (standing.state === "present") {
      item.condition = "put";
      return undefined;
    }
    const what = `${item.thing.kind} ${item.thing.text}`;
    const loss = describeLoss(standing, item.port);
    const byKernel = standing.state === "absent" && (item.port === undefined || item.port === 0);
    item.port = undefined;
    if (this.#onRemoval === "repair" || byKernel) {
      return this.#request(item, object, standing.state === "absent" ? "add" : "replace", loss);
    }
    item.condition = "left";
    item.error = `it ${loss}; left as it is, as on_removal says`;
    if (this.#onRemoval === "yield") this.#lost(`${what} ${loss}`);
    else this.#voice.warn(what, `${what} ${loss}: left as it is, as on_removal says`);
    return undefined;
  }

  #attempt(item: Item, object: KernelObject, standing: Standing): RoutingRequest | undefined {
    switch (standing.state) {
      case "present":
        item.condition = "put";
        item.object = object;
        this.#succeeded(item, undefined);
        return undefined;
      case "foreign":
        item.condition = "foreign";
        this.#succeeded(item, undefined);
        return undefined;
      case "taken":
        // Ours of before, in a form that is not wanted any more.
        if (isOurs(standing.by, object)) return this.#request(item, object, "replace", undefined);
        this.#failed(item, `its place is taken by ${describeStranger(standing.by)}`);
        return undefined;
      case "absent":
        return this.#request(item, object, "add", undefined);
    }
  }

  #request(item: Item, object: KernelObject, action: "add" | "replace", loss: string | undefined): RoutingRequest {
    item.object = object;
    const done = (error?: Refusal) => {
      if (!this.#holding || this.#items.get(item.thing.place) !== item) return;
      if (error === undefined) this.#succeeded(item, loss);
      else this.#refused(item, error, loss);
    };
    return { action, object, done };
  }

  #succeeded(item: Item, loss: string | undefined): void {
    const what = `${item.thing.kind} ${item.thing.text}`;
    const { error } = item;
    item.error = undefined;
    item.loss = undefined;
    if (loss !== undefined) this.#voice.repaired(what, `${what} ${loss}: put back`);
    else if (error !== undefined) this.#voice.repaired(what, `${what} is there now (it was not: ${error})`);
  }

  #refused(item: Item, { code, message }: Refusal, loss: string | undefined): void {
    item.condition = "waiting";
    item.loss ??= loss;
    // Somebody else's, of which we have not heard; what is found will be judged.
    if (code === "EEXIST") this.#host.routing.lookAgain();
    if (code !== "EEXIST" || item.error !== undefined) this.#failed(item, message);
    this.#retryLater(this.#host.now());
  }

  /** Told when it is news. */
  #failed(item: Item, why: string): void {
    const error = item.loss === undefined ? why : `it ${item.loss}; ${why}`;
    if (item.error === error) return;
    item.error = error;
    const what = `${item.thing.kind} ${item.thing.text}`;
    this.#voice.warn(what, `${what} is missing: ${error}; tried again until it is there`);
  }

  #retryLater(now: Instant): void {
    const isWaiting = [...this.#items.values()].some(({ condition }) => condition === "waiting");
    this.#host.routing.waits(this, isWaiting);
    if (!isWaiting) return;
    this.#wakeAt(now + this.#retry);
    this.#retry = Math.min(this.#retry * 2, longestRetry);
  }

  #remove(items: readonly Item[]): void {
    const objects: KernelObject[] = [];
    for (const { thing, condition, object } of items) {
      const ours = condition === "put" || condition === "doubted" || condition === "left";
      if (!ours || object === undefined || this.#host.routing.isHeldElsewhere(thing.place, this)) continue;
      objects.push(object, ...alteredOf(this.#host, object));
    }
    this.#delete(objects);
  }

  #delete(objects: readonly KernelObject[]): void {
    const done = (error?: Refusal) => {
      if (error !== undefined && !already.has(error.code)) this.#voice.complain(error.message);
    };
    this.#host.routing.perform(objects.map((object) => ({ action: "delete", object, done })));
  }
}
