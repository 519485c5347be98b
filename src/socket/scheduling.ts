/**
 * Scheduling class, memory locking and parent death of this process.
 *
 * A class belongs to a thread, and Node has about a dozen: with only the main thread in the real-time class it would
 * wait for garbage-collection helpers that the normal class starves. So the setters here reach every thread, looking
 * again until no new one has appeared meanwhile; threads started later inherit from the thread that starts them.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { addon } from "./addon.ts";
import { ErrorNumber, SystemError } from "./errno.ts";

const SCHED_OTHER = 0;
const SCHED_FIFO = 1;
const SCHED_RR = 2;
const PR_SET_PDEATHSIG = 1;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_IS_SET = 1;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const SCHED_RESET_ON_FORK = 0x4000_0000;

export interface ThreadScheduling {
  readonly policy: "other" | "rr" | "fifo";
  readonly priority: number;
  readonly nice: number;
}

/** SCHED_RR, 1 to 99, for all threads of this process. Children inherit it. */
export function setRealtime(priority: number): void {
  forEachThread(`set real-time priority ${priority}`, (thread) => addon().setScheduler(thread, SCHED_RR, priority));
}

/**
 * The normal class with this nice value, -20 to 19, for all threads of this process, and for its session where the
 * kernel schedules sessions as groups (autogroup): there a thread's own value counts only inside its session.
 */
export function setNice(nice: number): void {
  forEachThread(`set nice value ${nice}`, (thread) => {
    const result = addon().setScheduler(thread, SCHED_OTHER, 0);
    return result < 0 ? result : addon().setNice(thread, nice);
  });
  setSessionNice(nice);
}

/** Of the session of this process, told by `file`; without one (no autogroup in the kernel, or in use) nothing is done. */
export function setSessionNice(nice: number, file = "/proc/self/autogroup"): void {
  // It reads empty in the root group, where whoever descends from init without setsid() is: that one has no nice value.
  if (!existsSync(file) || readFileSync(file, "utf8") === "") return;
  try {
    writeFileSync(file, `${nice}`);
  } catch (error) {
    const errno = -((error as NodeJS.ErrnoException).errno ?? 0);
    throw new SystemError(`set nice value ${nice} of the session`, errno, "needs CAP_SYS_NICE");
  }
}

/**
 * Keeps the program, its libraries, the malloc heap and the main stack from being dropped under memory pressure: they
 * are backed by files, so that happens without any swap and costs a disk read in the middle of an advertisement.
 *
 * Not mlockall: in locked memory the kernel refuses madvise(MADV_DONTNEED), V8 takes that for a broken invariant when
 * it gives back code pages, and the process aborts (seen with Node 20 to 26). V8's own heap is anonymous and leaves
 * memory only for swap, which `MemorySwapMax=0` in the systemd unit forbids.
 */
export function lockMemory(): void {
  for (const line of readFileSync("/proc/self/maps", "utf8").split("\n")) {
    const [, start, end, inode, name] = /^(\w+)-(\w+) \S+ \S+ \S+ (\d+) *(.*)$/.exec(line) ?? [];
    if (start === undefined || end === undefined) continue;
    if (inode === "0" && name !== "[heap]" && name !== "[stack]") continue;
    const from = Number.parseInt(start, 16);
    const result = addon().lockMemory(from, Number.parseInt(end, 16) - from);
    if (result === 0) continue;
    // Without the capability the limit decides, and says ENOMEM or EAGAIN.
    const limited = result === -ErrorNumber.ENOMEM || result === -ErrorNumber.EAGAIN;
    const hint = "needs CAP_IPC_LOCK or a larger RLIMIT_MEMLOCK";
    throw new SystemError("lock memory", limited ? ErrorNumber.EPERM : -result, hint);
  }
}

/** Of every thread, the main thread first. */
export function schedulingOf(): ThreadScheduling[] {
  const result: ThreadScheduling[] = [];
  for (const thread of threads()) {
    const scheduler = addon().scheduler(thread);
    if (scheduler === -ErrorNumber.ESRCH) continue;
    if (typeof scheduler === "number") throw new SystemError(`read scheduling of thread ${thread}`, -scheduler);
    const [policy, priority, nice] = scheduler;
    result.push({ policy: policy === SCHED_RR ? "rr" : policy === SCHED_FIFO ? "fifo" : "other", priority, nice });
  }
  return result;
}

/**
 * Has the kernel send this process a signal (by number) when its parent dies. A parent that is dead already is
 * not noticed: compare process.ppid afterwards with the parent that was meant.
 */
export function dieWithParent(signal: number): void {
  const result = addon().control(PR_SET_PDEATHSIG, signal, 0);
  if (result < 0) throw new SystemError(`ask for signal ${signal} at the parent's death`, -result);
}

/**
 * Runs `start` so that a process started in it inherits nothing of what this one was given for its own work: no ambient
 * capabilities, no real-time class, no negative nice value. All three belong to the thread, and it is this one that forks.
 */
export function inheritNothing<T>(start: () => T): T {
  const ambient = ambientCapabilities();
  const [policy, priority, nice] = schedulerOf(0);
  const favoured = policy !== SCHED_OTHER || nice < 0;
  try {
    if (ambient.length > 0) control("drop ambient capabilities", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0);
    if (favoured) addon().setScheduler(0, policy | SCHED_RESET_ON_FORK, priority);
    return start();
  } finally {
    // Without CAP_SYS_NICE the flag cannot be taken back. It changes nothing for this thread.
    if (favoured) addon().setScheduler(0, policy, priority);
    // The VRRP process may be started later, and needs them.
    for (const capability of ambient) {
      control("give ambient capabilities back", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability);
    }
  }
}

function ambientCapabilities(): number[] {
  const found: number[] = [];
  for (let capability = 0; capability < 64; capability++) {
    const set = addon().control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability);
    // The first number that the kernel does not know.
    if (set < 0) break;
    if (set === 1) found.push(capability);
  }
  return found;
}

function schedulerOf(thread: number): [policy: number, priority: number, nice: number] {
  const scheduler = addon().scheduler(thread);
  if (typeof scheduler === "number") throw new SystemError(`read scheduling of thread ${thread}`, -scheduler);
  const [policy, priority, nice] = scheduler;
  return [policy & ~SCHED_RESET_ON_FORK, priority, nice];
}

function control(operation: string, option: number, second: number, third: number): void {
  const result = addon().control(option, second, third);
  if (result < 0) throw new SystemError(operation, -result);
}

function threads(): number[] {
  return readdirSync("/proc/self/task")
    .map(Number)
    .sort((a, b) => a - b);
}

function forEachThread(operation: string, set: (thread: number) => number): void {
  const done = new Set<number>();
  for (;;) {
    const fresh = threads().filter((thread) => !done.has(thread));
    if (fresh.length === 0) return;
    for (const thread of fresh) {
      done.add(thread);
      const result = set(thread);
      // A thread that has ended meanwhile needs no class.
      if (result < 0 && result !== -ErrorNumber.ESRCH) throw new SystemError(operation, -result, "needs CAP_SYS_NICE");
    }
  }
}
