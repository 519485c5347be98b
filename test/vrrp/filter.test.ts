import { describe, expect, test } from "vitest";
import { NetlinkError } from "../../src/netlink/error.ts";
import type { Link } from "../../src/netlink/link.ts";
import type { NftMessage } from "../../src/netlink/nftables.ts";
import { Agenda } from "../../src/vrrp/agenda.ts";
import { Filter } from "../../src/vrrp/filter.ts";
import type { Preparation } from "../../src/vrrp/host.ts";
import type { InstanceParameters } from "../../src/vrrp/parameters.ts";
import type { VrrpEvent } from "../../src/vrrp/status.ts";
import { instance, virtualAddress } from "./samples.ts";

const closed = instance({ accept: false });
const NEWTABLE = 0;
const DELTABLE = 2;

/** A host in virtual time whose kernel answers when told to. */
class Stage {
  readonly events: VrrpEvent[] = [];
  readonly errors: string[] = [];
  readonly commits: (readonly NftMessage[])[] = [];
  readonly settings = { filterNoted: false };
  readonly filter: Filter;
  instances: readonly InstanceParameters[];
  refreshed = 0;
  refuses: string | undefined;
  opened = 0;
  others: (who: string) => void = () => {};
  #now = 0;
  #expire = () => {};
  #answers: (() => void)[] = [];

  constructor(...instances: readonly InstanceParameters[]) {
    this.instances = instances;
    const agenda = new Agenda(
      () => this.#now,
      (expire) => {
        this.#expire = expire;
        return { arm: () => {}, disarm: () => {} };
      },
    );
    const host = {
      now: () => this.#now,
      wallClock: () => "",
      scheduleBackground: agenda.scheduleBackground.bind(agenda),
      event: (event: VrrpEvent) => this.events.push(event),
      linkByName: (name: string) => ({ name: name === "eth0" ? "lan0" : name }) as Link,
      settings: this.settings,
    };
    const refresh = () => {
      this.refreshed++;
    };
    this.filter = new Filter(
      host,
      () => this.instances.map((parameters) => ({ parameters, refresh })),
      { log: (_, __, message) => this.errors.push(message) },
      (changed) => {
        this.opened++;
        this.others = changed;
        return { commit: (operation, messages) => this.#commit(operation, messages), close: () => {} };
      },
    );
  }

  state(parameters: InstanceParameters = closed): Preparation {
    return this.filter.state(parameters);
  }

  async pass(duration: number): Promise<void> {
    for (const end = this.#now + duration; this.#now < end; this.#now++) {
      this.#expire();
      await Promise.resolve();
    }
  }

  async answer(): Promise<void> {
    for (const answer of this.#answers.splice(0)) answer();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async settle(): Promise<void> {
    this.filter.refresh();
    await this.pass(2);
    await this.answer();
  }

  #commit(operation: string, messages: readonly NftMessage[]): Promise<void> {
    this.commits.push(messages);
    return new Promise((resolve, reject) => {
      this.#answers.push(() =>
        this.refuses === undefined ? resolve() : reject(new NetlinkError(operation, 95, this.refuses)),
      );
    });
  }
}

describe("the packet filter behind accept: false", () => {
  test("is not touched when nobody needs it: not even a module is loaded", async () => {
    const stage = new Stage(instance(), instance({ name: "owner", accept: false, priority: 255 }));
    await stage.settle();
    expect(stage.opened).toBe(0);
    expect(stage.instances.map((parameters) => stage.state(parameters))).toEqual([{}, {}]);
  });

  test("keeps the router waiting until the kernel has it", async () => {
    const stage = new Stage(closed);
    stage.filter.refresh();
    await stage.pass(2);
    expect(stage.state()).toEqual({ pending: "the packet filter for accept: false is being made ready" });
    expect(stage.settings.filterNoted).toBe(true);
    await stage.answer();
    expect(stage.state()).toEqual({});
    expect(stage.refreshed).toBe(1);
  });

  test("a kernel without nf_tables is a reason, and tried again", async () => {
    const stage = new Stage(closed);
    stage.refuses = "no such protocol";
    await stage.settle();
    expect(stage.state().problem).toMatch(/^accept: false needs a kernel with nf_tables .*EOPNOTSUPP/);
    stage.refuses = undefined;
    await stage.pass(6000);
    await stage.answer();
    expect(stage.state()).toEqual({});
  });

  test("follows the addresses, and an address that is new is waited for", async () => {
    const stage = new Stage(closed);
    await stage.settle();
    const more = { ...closed, virtualAddresses: [...closed.virtualAddresses, virtualAddress("192.0.2.2")] };
    stage.instances = [more];
    expect(stage.state(more)).toHaveProperty("pending");
    await stage.settle();
    expect(stage.state(more)).toEqual({});
    const commits = stage.commits.length;
    await stage.settle();
    expect(stage.commits).toHaveLength(commits);
  });

  test("what changes while a batch is under way comes with the next", async () => {
    const stage = new Stage(closed);
    stage.filter.refresh();
    await stage.pass(2);
    const other = instance({ name: "mail", accept: false, virtualAddresses: [virtualAddress("192.0.2.9")] });
    stage.instances = [closed, other];
    stage.filter.refresh();
    await stage.pass(2);
    expect(stage.commits).toHaveLength(1);
    await stage.answer();
    await stage.answer();
    expect(stage.commits).toHaveLength(2);
    expect([stage.state(), stage.state(other)]).toEqual([{}, {}]);
  });

  test("is made again when somebody else changes it, told once, and ever more slowly", async () => {
    const stage = new Stage(closed);
    await stage.settle();
    let made = 0;
    for (let i = 0; i < 2000; i++) {
      if (stage.commits.length > made) {
        made = stage.commits.length;
        await stage.answer();
        stage.others("nft (pid 42)");
      }
      await stage.pass(10);
    }
    expect(made).toBeGreaterThan(5);
    expect(made).toBeLessThan(25);
    expect(stage.events[0]).toEqual({
      type: "repair",
      at: "",
      instance: "web",
      message: "the packet filter for accept: false was changed by nft (pid 42): made again",
    });
  });

  test("goes with the last instance that needs it, and in the end", async () => {
    const stage = new Stage(closed);
    await stage.settle();
    stage.instances = [instance()];
    await stage.settle();
    expect(stage.commits.at(-1)?.map(({ type }) => type)).toEqual([NEWTABLE, DELTABLE]);
    expect(stage.settings.filterNoted).toBe(false);
    stage.instances = [closed];
    await stage.settle();
    const removal = stage.filter.remove();
    await stage.answer();
    await stage.answer();
    await removal;
    expect(stage.commits.at(-1)?.map(({ type }) => type)).toEqual([NEWTABLE, DELTABLE]);
    expect(stage.settings.filterNoted).toBe(false);
    expect(stage.errors).toEqual([]);
  });

  test("one that a killed run left is removed although nobody needs it", async () => {
    const stage = new Stage(instance());
    stage.settings.filterNoted = true;
    await stage.settle();
    expect(stage.commits.map((commit) => commit.map(({ type }) => type))).toEqual([[NEWTABLE, DELTABLE]]);
    expect(stage.settings.filterNoted).toBe(false);
  });
});
