export type ProcessState = "not needed" | "starting" | "running" | "restarting" | "stopping" | "stopped";

/** How one child of the supervisor fares. */
export interface ProcessStatus {
  readonly state: ProcessState;
  readonly pid: number | null;
  /** Times it died by itself and was started again. */
  readonly restarts: number;
  /** ISO 8601 time of the last change of `state`. */
  readonly since: string;
  /** How the last one ended: "ended with exit code 1", "was killed by SIGSEGV". */
  readonly last_end: string | null;
}
