/** The kernel's table of interfaces, kept up to date while somebody holds it: one netlink socket for all checks. */
import type { Link } from "../netlink/link.ts";
import { type Change, Watch } from "../netlink/watch.ts";

export interface Links {
  /** Rejects when the kernel does not tell. */
  readonly ready: Promise<void>;
  byName(name: string): Link | undefined;
  release(): void;
}

type Listener = (names: readonly string[]) => void;

let watch: Watch | undefined;
const holders = new Set<Listener>();
/** Links are few, and their news short. */
const receiveBuffer = 512 * 1024;

/** `changed` is called with the names that a link has and had. Throws when there is no socket to be had. */
export function holdLinks(changed: Listener): Links {
  watch ??= Watch.open({ links: true, receiveBuffer, onChange: tell });
  const held = watch;
  // One that failed is closed; whoever comes next opens another, which tells the present holders too.
  held.ready.catch(() => {
    if (watch === held) watch = undefined;
  });
  // The same function may hold twice.
  const holder: Listener = (names) => changed(names);
  holders.add(holder);
  return {
    ready: held.ready,
    byName: (name) => held.linkByName(name),
    release() {
      holders.delete(holder);
      if (holders.size > 0 || watch !== held) return;
      held.close();
      watch = undefined;
    },
  };
}

function tell(change: Change): void {
  if (change.object !== "link") return;
  const names = [change.link.name, ...(change.before === undefined ? [] : [change.before.name])];
  for (const holder of holders) holder(names);
}
