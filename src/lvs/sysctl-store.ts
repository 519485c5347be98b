/** Kernel settings by their names with dots, as a store of held-settings.ts. */
import { readSetting, writeSetting } from "../socket/sysctl.ts";
import type { SettingStore } from "./held-settings.ts";

const forwarding = "net.ipv4.ip_forward";
const redirects = "net/ipv4/conf/all/accept_redirects";

/** As sysctl(8) has it: a dot in the name of an interface is written as a slash. */
export function settingPath(name: string): string {
  return name.replace(/[./]/g, (letter) => (letter === "." ? "/" : "."));
}

/** Of the network, and no way out of its folder: what a note says is written as root. */
export function isNetworkSetting(name: string): boolean {
  const path = settingPath(name);
  return /^net(\/[\w.:@-]+)+$/.test(path) && !path.split("/").includes("..") && !path.split("/").includes(".");
}

export const sysctlStore: SettingStore = {
  read(names) {
    const found = names.flatMap((name): [string, string][] => {
      const value = readSetting(settingPath(name));
      return value === undefined ? [] : [[name, value]];
    });
    return Promise.resolve(new Map(found));
  },
  write(name, value) {
    return new Promise((resolve) => {
      const before = name === forwarding ? readSetting(redirects) : undefined;
      writeSetting(settingPath(name), value);
      // Whoever becomes a router, or ceases to be one, gets new defaults for redirects with it: nobody asked for that.
      if (before !== undefined && readSetting(redirects) !== before) writeSetting(redirects, before);
      resolve();
    });
  },
};
