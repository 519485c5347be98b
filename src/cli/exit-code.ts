/** What the exit code of every command means. */
export const ExitCode = { done: 0, no: 1, usage: 2, noDaemon: 3 } as const;
