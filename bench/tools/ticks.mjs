// How late a bare timer of this machine is: node ticks.mjs SECONDS. One tick each 10 ms; prints the latenesses as JSON.
import { now } from "../../dist/socket/clock.js";
import { OneShotTimer } from "../../dist/socket/timer.js";

const period = 10;
const ticks = (Number(process.argv[2]) * 1000) / period;
const late = [];
let next = now() + 100;
const timer = new OneShotTimer(() => {
  late.push(now() - next);
  next += period;
  if (late.length < ticks) timer.arm(next);
  else {
    timer.close();
    process.stdout.write(JSON.stringify(late));
  }
});
timer.arm(next);
