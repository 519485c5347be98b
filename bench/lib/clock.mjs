export { now } from "../../dist/socket/clock.js";

export function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export async function until(what, probe, timeout, pause = 10) {
  const end = performance.now() + timeout;
  for (;;) {
    const answer = await probe();
    if (answer) return answer;
    if (performance.now() > end)
      throw new Error(`not within ${timeout} ms: ${typeof what === "function" ? what() : what}`);
    await sleep(pause);
  }
}

// RFC 9568 section 6.1, in milliseconds.
export function skew(priority, interval) {
  return ((256 - priority) * interval) / 256;
}

export function downInterval(priority, interval) {
  return 3 * interval + skew(priority, interval);
}
