/** The configuration in force: what the file says, what runs of it, and what came of the last reload. */
import type { Config } from "../config/config.ts";
import { type ConfigDiff, diffConfigs } from "../config/diff.ts";
import { needsRestart } from "./reload-plan.ts";
import type { ConfigStatus, ReloadStatus } from "./status.ts";

const noConfig: Config = {
  global: { routerId: "", scriptSecurity: true, process: { nice: 0, lockMemory: false } },
  instances: [],
  checks: [],
};

export class InForce {
  readonly #file: string;
  readonly #asItRuns: (loaded: Config) => Config;
  #loaded: Config = noConfig;
  #running: Config = noConfig;
  #loadedAt = new Date();
  #reload: ReloadStatus | null = null;

  /** `asItRuns`: with what the operator has taken out of service. */
  constructor(file: string, asItRuns: (loaded: Config) => Config) {
    this.#file = file;
    this.#asItRuns = asItRuns;
  }

  /** As it runs. */
  get config(): Config {
    return this.#running;
  }

  /** The file says this now. Returns what changes, and what waits for a restart of the daemon. */
  adopt(loaded: Config): { readonly diff: ConfigDiff; readonly waiting: readonly string[] } {
    const before = this.#running.global.process;
    this.#loaded = loaded;
    this.#loadedAt = new Date();
    const diff = this.enforce();
    return { diff, waiting: needsRestart(before, this.#running.global.process) };
  }

  /** What is out of service may be something else now. */
  enforce(): ConfigDiff {
    const before = this.#running;
    this.#running = this.#asItRuns(this.#loaded);
    return diffConfigs(before, this.#running);
  }

  reloaded(outcome: Omit<ReloadStatus, "at">): void {
    this.#reload = { at: new Date().toISOString(), ...outcome };
  }

  status(): ConfigStatus {
    return { file: this.#file, loaded_at: this.#loadedAt.toISOString(), reload: this.#reload };
  }
}
