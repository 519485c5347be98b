// 10 000 servers in the kernel's table of virtual services: by viprd, keepalived and ipvsadm in the same boot of the
// virtual machine of the tests, whose emulated processor says nothing about absolute times.
import { inMachine } from "../lib/machine.mjs";
import { median } from "../lib/statistics.mjs";

export const name = "lvs";
export const title =
  "IPVS, 100 services of 100 servers, in a virtual machine: only figures of one boot can be compared";

const empty = "10 000 servers from empty";

export async function measure(report, { extent }) {
  await import("../../scripts/vm-tools.mjs");
  const boots = extent === "full" ? 5 : 1;
  for (let boot = 0; boot < boots; boot++) {
    const fills = new Map();
    const accelerator = await inMachine("ipvs.mjs", { swapped: boot % 2 === 1 }, ({ what, product, value, unit }) => {
      report.sample(what, product, value, unit);
      if (what === empty) fills.set(product, [...(fills.get(product) ?? []), value]);
    });
    const whole = median(fills.get("ipvsadm -R"));
    for (const product of ["viprd's client, first time", "viprd's client, again", "viprd", "keepalived"]) {
      const share = (median(fills.get(product)) / whole) * 100;
      report.sample(`${empty}: of the time of ipvsadm -R`, product, share, "%");
    }
    report.note(`boot ${boot + 1}: ${accelerator}`);
  }
}
