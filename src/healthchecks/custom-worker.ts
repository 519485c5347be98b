/** The thread of one third-party module: passes questions to its probe(), and what comes of them back. */
import { parentPort, workerData } from "node:worker_threads";

export type ToModule =
  | { readonly type: "probe"; readonly id: number; readonly options: unknown }
  | { readonly type: "abort"; readonly id: number; readonly why: string };

export type FromModule =
  | { readonly type: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly type: "failure"; readonly id: number; readonly error: string };

type Probe = (options: unknown, context: { readonly signal: AbortSignal }) => unknown;

const running = new Map<number, AbortController>();

// Messages wait in the port until somebody listens.
const { probe } = (await import(String(workerData))) as { readonly probe?: unknown };
if (typeof probe !== "function") throw new Error("exports no function probe");

parentPort?.on("message", (message: ToModule) => {
  if (message.type === "abort") running.get(message.id)?.abort(new Error(message.why));
  else void answer(message.id, message.options, probe as Probe);
});

async function answer(id: number, options: unknown, ask: Probe): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  const send = (message: FromModule): void => parentPort?.postMessage(message);
  try {
    // What cannot be copied between threads fails here, too.
    send({ type: "answer", id, answer: await ask(options, { signal: controller.signal }) });
  } catch (error) {
    send({ type: "failure", id, error: error instanceof Error ? error.message : String(error) });
  } finally {
    running.delete(id);
  }
}
