/** `type: interface`: an interface is up and has a carrier. Asked from the kernel by netlink, which also tells changes. */
import type { CheckType, Outcome } from "./check-type.ts";
import { holdLinks } from "./links.ts";

export interface InterfaceParameters {
  readonly type: "interface";
  readonly interface: string;
}

export const networkInterface: CheckType<InterfaceParameters> = {
  async probe({ interface: name }): Promise<Outcome> {
    const links = holdLinks(() => {});
    try {
      await links.ready;
      const link = links.byName(name);
      if (link === undefined) return { ok: false, reason: `there is no interface ${name}` };
      if (!link.up) return { ok: false, reason: `${name} is set down` };
      if (!link.running) return { ok: false, reason: `${name} is up, but has no carrier` };
      return { ok: true, reason: `${name} is up and running` };
    } finally {
      links.release();
    }
  },
  watch({ interface: name }, changed) {
    const links = holdLinks((names) => {
      if (names.includes(name)) changed();
    });
    return () => links.release();
  },
};
