/** Tells systemd how the daemon fares: sd_notify(3) over the datagram socket it names. Without one, silently nothing. */
import type { Log } from "./log.ts";

export interface Notifier {
  ready(): void;
  reloading(): void;
  stopping(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** Ends the watchdog's heartbeat. */
  close(): void;
}

const silent: Notifier = { ready() {}, reloading() {}, stopping() {}, status() {}, close() {} };

export async function openNotifier(environment: NodeJS.ProcessEnv, log: Log): Promise<Notifier> {
  const path = environment.NOTIFY_SOCKET;
  if (path === undefined || path === "") return silent;
  try {
    return notifier(await openSender(path), watchdogInterval(environment, process.pid));
  } catch (error) {
    log.warn(`cannot tell systemd: ${error instanceof Error ? error.message : String(error)}`);
    return silent;
  }
}

async function openSender(path: string): Promise<(text: string) => void> {
  const { Socket } = await import("../socket/socket.ts");
  const { AF_UNIX, SOCK_DGRAM } = await import("../socket/constants.ts");
  const { sockaddrUnix } = await import("../socket/sockaddr.ts");
  const socket = Socket.open(AF_UNIX, SOCK_DGRAM, 0, `notify socket ${path}`);
  const destination = sockaddrUnix(path);
  const encoder = new TextEncoder();
  // A full or vanished socket is systemd's trouble, not a reason to stop serving.
  return (text) => void socket.send(encoder.encode(text), destination);
}

function notifier(send: (text: string) => void, watchdog: number | undefined): Notifier {
  const beat = watchdog === undefined ? undefined : setInterval(() => send("WATCHDOG=1"), watchdog).unref();
  return {
    ready: () => send("READY=1"),
    reloading: () => send(reloadingMessage(process.hrtime.bigint())),
    stopping: () => send("STOPPING=1"),
    status: (text) => send(`STATUS=${text.replaceAll("\n", " ")}`),
    close: () => clearInterval(beat),
  };
}

/** Type=notify-reload wants the monotonic time, to tell this reload from an earlier one. */
export function reloadingMessage(now: bigint): string {
  return `RELOADING=1\nMONOTONIC_USEC=${now / 1000n}`;
}

/** Half the time systemd waits; undefined when it does not watch this process. */
export function watchdogInterval(environment: NodeJS.ProcessEnv, pid: number): number | undefined {
  const limit = Number(environment.WATCHDOG_USEC ?? "");
  const watched = environment.WATCHDOG_PID;
  if (!Number.isFinite(limit) || limit <= 0 || (watched !== undefined && watched !== String(pid))) return undefined;
  return limit / 1000 / 2;
}
