/** The host around the table, as it is. */
import { now } from "../socket/clock.ts";
import { interfaceIndex } from "../socket/interface.ts";
import type { SettingStore } from "./held-settings.ts";
import { readHostFacts } from "./host-facts.ts";
import type { HostFacts } from "./host-requirements.ts";
import { sysctlStore } from "./sysctl-store.ts";

/** In tests another one. */
export interface Surroundings {
  /** With the states of these modules. */
  facts(modules: readonly string[]): Promise<HostFacts>;
  /** 0 when there is none of this name. */
  interfaceIndex(name: string): number;
  readonly settings: SettingStore;
  /** Milliseconds that go on, from anywhere. */
  now(): number;
}

export const thisHost: Surroundings = { facts: readHostFacts, interfaceIndex, settings: sysctlStore, now };
