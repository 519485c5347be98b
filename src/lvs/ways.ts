/**
 * Whether a check that goes through a service reached its server. Where that service is missing, the kernel takes the check
 * to any server of the virtual server, or to none, and nobody is told: what it finds then says nothing about the one that is
 * asked.
 */
import type { BalancerClock } from "./balancer-clock.ts";
import { destinationText, portIn } from "./mirror.ts";
import type { Milliseconds, ServiceAddress } from "./parameters.ts";
import type { IpvsPort } from "./table.ts";
import { serviceText } from "./text.ts";
import { messageOf } from "./troubles.ts";
import type { Unit } from "./unit.ts";

export interface Doubt {
  readonly message: string;
  /** Virtual servers whose services are not as they should be. */
  readonly units: readonly Unit[];
}

const readLimit = 2000;

export class Ways {
  readonly #port: IpvsPort;
  readonly #clock: BalancerClock;

  constructor(port: IpvsPort, clock: BalancerClock) {
    this.#port = port;
    this.#clock = clock;
  }

  /**
   * `units` are those that the check goes through; its run began `elapsed` ago, and has ended. A failure counts as long as
   * nothing speaks against it, a success when all speaks for it.
   */
  async doubt(units: readonly Unit[], elapsed: Milliseconds, ok: boolean): Promise<Doubt | undefined> {
    const begun = this.#clock.now().instant - elapsed;
    const because = (why: string, of: readonly Unit[] = []): Doubt => {
      return {
        message: `${ok ? "any server may have answered" : "that says nothing of the server"}: ${why}`,
        units: of,
      };
    };
    if (units.length === 0) return ok ? because("the load balancer has made no way for it") : undefined;
    for (const unit of units) {
      const { services, servers } = unit.parameters;
      const wanted = servers.map(({ name }) => name).join(", ");
      for (const service of services) {
        const leads = await this.#leads(service, unit);
        if (leads === false) return because(`${serviceText(service)} did not lead to ${wanted} alone`, [unit]);
        if (leads !== true && ok) return because(leads);
      }
      if ((unit.writtenAt ?? Number.NEGATIVE_INFINITY) >= begun) {
        return because(`${services.map(serviceText).join(", ")} was made or put right meanwhile`);
      }
    }
    return undefined;
  }

  /** As the table is now; a text is why that is not known. */
  #leads(service: ServiceAddress, { parameters }: Unit): Promise<boolean | string> {
    const wanted = parameters.servers.map((server) => {
      return destinationText({ ...server, port: portIn(service, server.port) });
    });
    return new Promise((resolve) => {
      const limit = this.#clock.now().instant + readLimit;
      const cancel = this.#clock.at(limit, () => resolve(`${serviceText(service)} was not read in time`));
      const finish = (end: boolean | string): void => {
        cancel();
        resolve(end);
      };
      this.#port.destinations(service).then(
        (found) => {
          const taking = found.filter(({ settings }) => settings.weight > 0);
          const there = new Set(taking.map(({ settings }) => destinationText(settings)));
          finish(taking.length === wanted.length && wanted.every((server) => there.has(server)));
        },
        (error: unknown) => finish(messageOf(error)),
      );
    });
  }
}
