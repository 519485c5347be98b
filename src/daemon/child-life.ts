/** What a child of the supervisor obeys beside its messages: signals, the end of its parent, its own mistakes. */
import { dieWithParent } from "../socket/scheduling.ts";

const SIGTERM = 15;

export interface ChildLife<Message> {
  /** "vrrp", for what it says when it fails. */
  readonly role: string;
  obey(message: Message): void;
  /** Ends in order; called any number of times. */
  stop(exitCode: number): void;
  /** Messages are listened to: the supervisor may be told. */
  ready(): void;
}

export function liveAsChild<Message>({ role, obey, stop, ready }: ChildLife<Message>): void {
  // A terminal sends its signals to every process; each stops by itself, whoever is first.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop(0));
  // SIGHUP is the supervisor's.
  process.on("SIGHUP", () => {});
  process.on("disconnect", () => stop(0));
  process.on("uncaughtException", (error) => {
    process.stderr.write(`viprd ${role} process: ${error.stack ?? error.message}\n`);
    stop(1);
  });
  process.on("message", (message: Message) => obey(message));
  dieWithParent(SIGTERM);
  // A supervisor that died while this process was loading is reported by neither.
  if (process.connected) ready();
  else stop(0);
}
