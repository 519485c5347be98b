/** Macvlan devices and kernel settings as the simulated kernel has them: requests for devices take a while. */
import { MACVLAN_MODE_BRIDGE } from "../../src/netlink/constants.ts";
import type { LinkRequests, Refusal, SettingRequests } from "../../src/vrrp/host.ts";
import type { Milliseconds } from "../../src/vrrp/parameters.ts";
import { deviceGroup } from "../../src/vrrp/virtual-mac.ts";
import type { SimulatedKernel } from "./simulated-kernel.ts";

type Later = (answer: () => void) => void;

/** What the kernel waits for when a macvlan goes down or away. */
const grace: Milliseconds = 12;

export function linkRequests(kernel: SimulatedKernel, later: Later): LinkRequests {
  const act = (done: (error?: Refusal) => void, delay: Milliseconds, work: () => string | undefined) =>
    // The kernel obeys whether the process lives to hear of it or not.
    kernel.time.after(delay, () => {
      const code = work();
      later(() => done(code === undefined ? undefined : { code, message: `virtual MAC device: ${code}` }));
    });
  const leaving = new Set<number>();
  return {
    create: ({ name, mac }, parent, done) =>
      act(done, 1, () => {
        if (kernel.refusesDevices !== undefined) return kernel.refusesDevices;
        if (!kernel.links.has(parent.index)) return "ENODEV";
        const macvlan = { name, mac, mtu: parent.mtu, parent: parent.index, mode: MACVLAN_MODE_BRIDGE };
        return kernel.addLink({ ...macvlan, type: 1, kind: "macvlan", group: deviceGroup, up: false });
      }),
    delete: (link, done) => {
      leaving.add(link.index);
      act(done, grace, () => kernel.removeLink(link.index));
    },
    isLeaving: (link) => leaving.has(link.index),
    lower: (link, done) => act(done, grace, () => kernel.changeLink(link.index, { up: false })),
    correct: (link, changes, done) => act(done, grace, () => kernel.changeLink(link.index, changes)),
    raise: (link, done) => {
      const code = kernel.changeLink(link.index, { up: true });
      later(() => done(code === undefined ? undefined : { code, message: `set ${link.name} up: ${code}` }));
    },
  };
}

/** Held settings go back to what they were with their last holder. */
export function settingRequests(kernel: SimulatedKernel): SettingRequests {
  const held = new Map<string, { before: string; holders: Set<string> }>();
  const read = (path: string) => kernel.settings.get(path) ?? "0";
  const set: SettingRequests["set"] = (settings) => {
    for (const { path, value, orElse = [] } of settings) {
      if (!orElse.includes(read(path))) kernel.settings.set(path, value);
    }
    return [];
  };
  return {
    read,
    set,
    hold: (holder, settings) => {
      for (const { path } of settings) {
        const known = held.get(path) ?? { before: read(path), holders: new Set() };
        held.set(path, known);
        known.holders.add(holder);
      }
      return set(settings);
    },
    release: (holder) => {
      for (const [path, { before, holders }] of held) {
        if (!holders.delete(holder) || holders.size > 0) continue;
        kernel.settings.set(path, before);
        held.delete(path);
      }
    },
  };
}
