/** What the kernel shows of IPVS and of its modules in files. */
import { open, readFile } from "node:fs/promises";
import { Fingerprint } from "./fingerprint.ts";

const table = "/proc/net/ip_vs";
const portion = 64 * 1024;
/** Some million lines; a table that does not end in it is not looked at further. */
const longest = 64 * 1024 * 1024;

/** Of /proc/net/ip_vs; undefined where there is none. It is read in portions, and no line becomes a string. */
export async function procFingerprint(path: string = table): Promise<string | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, "r");
  } catch {
    return undefined;
  }
  try {
    const fingerprint = new Fingerprint();
    const buffer = new Uint8Array(portion);
    for (let total = 0; total < longest; ) {
      const { bytesRead } = await file.read(buffer, 0, portion, null);
      if (bytesRead === 0) return fingerprint.finish();
      fingerprint.add(buffer.subarray(0, bytesRead));
      total += bytesRead;
    }
    throw new Error(`read ${path}: longer than ${longest} bytes`);
  } finally {
    await file.close();
  }
}

/** Why a kernel has no IPVS, and what helps. */
export async function whyNoIpvs(): Promise<string> {
  const release = (await text("/proc/sys/kernel/osrelease")).trim();
  const modules = `/lib/modules/${release}`;
  const listed = (await text(`${modules}/modules.dep`)) + (await text(`${modules}/modules.builtin`));
  if (/(^|\/)ip_vs\.ko/m.test(listed))
    return `the module ip_vs is not loaded, and the kernel could not load it by itself: run modprobe ip_vs as root, and look into the kernel's log if that fails`;
  if (listed !== "")
    return `the kernel ${release} comes without IPVS: it takes one with CONFIG_IP_VS (on Debian linux-image-amd64 or linux-image-cloud-amd64)`;
  return `there are no modules of the kernel ${release} here: if it has IPVS, run modprobe ip_vs on the host; otherwise it takes a kernel with CONFIG_IP_VS`;
}

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    // Absent or not for us: then nothing is known from it.
    return "";
  }
}
