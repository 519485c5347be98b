// Tells when this machine did not run a process in time: sleeps 3 ms at a time and prints "<wall clock ms> <late by ms>"
// for each wake-up that came more than 8 ms late. A scenario that fails beside such a line has measured the machine.
// It also asks the kernel for the list of interfaces: while network namespaces of other scenarios go away, whoever
// changes an address waits for the same lock, and nobody's wake-up is late.
import { networkInterfaces, setPriority } from "node:os";

const pause = 3;
const limit = 8;
try {
  setPriority(-10);
} catch {
  // Without privileges it measures at the normal priority.
}
let due = performance.now() + pause;
let looks = 0;
function look() {
  if (++looks % 4 === 0) networkInterfaces();
  const now = performance.now();
  if (now - due > limit) process.stdout.write(`${Date.now()} ${(now - due).toFixed(1)}\n`);
  due = now + pause;
  setTimeout(look, pause);
}
look();
process.stdin.on("end", () => process.exit(0)).resume();
