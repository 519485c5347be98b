/** Finds and loads the native addon (native/viprd.c), and says what its functions take. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** Unless said otherwise the result is 0 or a count, or a negative errno. */
export interface Addon {
  open(domain: number, type: number, protocol: number): number;
  close(descriptor: number): number;
  watch(descriptor: number, onReadable: () => void, onError: ((errno: number) => void) | undefined): number;
  bind(descriptor: number, sockaddr: Uint8Array): number;
  connect(descriptor: number, sockaddr: Uint8Array): number;
  name(descriptor: number, into: Uint8Array): number;
  setOption(descriptor: number, level: number, name: number, value: Uint8Array): number;
  getOption(descriptor: number, level: number, name: number, into: Uint8Array): number;
  attachFilter(descriptor: number, program: Uint8Array): number;
  send(descriptor: number, bytes: Uint8Array, destination: Uint8Array | undefined): number;
  /** `done` gets the count or negative errno when a thread of the pool has sent a copy of the bytes. */
  sendAside(descriptor: number, bytes: Uint8Array, done: (result: number) => void): number;
  receive(descriptor: number, slab: ArrayBuffer, count: number, slotSize: number): number;
  pollOpen(): number;
  unref(descriptor: number): number;
  streamOpen(poll: number, sockaddr: Uint8Array, source: Uint8Array | undefined, mark: number): number;
  /** `into` gets a descriptor and an errno or 0 for each of them. */
  streamEvents(poll: number, into: Int32Array): number;
  streamAwait(poll: number, descriptor: number): number;
  /** 0 at the end of the stream. */
  streamRead(descriptor: number, into: Uint8Array): number;
  streamClose(poll: number, descriptor: number): number;
  /** Milliseconds. */
  now(): number;
  /** Milliseconds. */
  suspended(): number;
  threadTime(): number;
  timerOpen(): number;
  timerArm(descriptor: number, at: number): number;
  setScheduler(thread: number, policy: number, priority: number): number;
  setNice(thread: number, nice: number): number;
  /** [policy, priority, nice] */
  scheduler(thread: number): [number, number, number] | number;
  lockMemory(start: number, length: number): number;
  control(option: number, second: number, third: number): number;
  setNetworkNamespace(descriptor: number): number;
  makeFifo(path: string, mode: number): number;
  interfaceIndex(name: string): number;
  interfaceName(index: number): string | number;
}

let loaded: Addon | undefined;

export function addon(): Addon {
  loaded ??= load();
  return loaded;
}

function load(): Addon {
  // The same two steps up from src/socket and from dist/socket.
  const places = [`../../build/viprd.node`, `../../prebuilds/linux-${process.arch}/viprd.node`].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  );
  const path = places.find((place) => existsSync(place));
  if (path === undefined) {
    throw new Error(
      `viprd's native addon is missing for ${process.platform}-${process.arch}. ` +
        `In a checkout run \`node scripts/build-native.mjs\` (needs a C compiler); an installed package carries it ` +
        `for linux-x64 and linux-arm64: install it again. Looked for:\n${places.map((place) => `  ${place}`).join("\n")}`,
    );
  }
  try {
    return createRequire(import.meta.url)(path) as Addon;
  } catch (cause) {
    throw new Error(
      `viprd's native addon ${path} does not load: ${cause instanceof Error ? cause.message : String(cause)}. ` +
        "In a checkout run `node scripts/build-native.mjs` again; an installed package: install it again.",
      { cause },
    );
  }
}
