// What the VM tests need: an emulator, the programs that are compared, and a kernel with IPVS.
// The kernel of the Debian release is downloaded and unpacked, not installed, and kept in .cache/ between runs.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { debianRelease, install, run } from "./debian-packages.mjs";

const kernels = join(import.meta.dirname, "../.cache/vm/kernels");

const packages = {
  "qemu-system-x86": ["qemu-system-x86_64"],
  "busybox-static": ["/bin/busybox"],
  cpio: ["cpio"],
  kmod: ["/sbin/depmod", "/sbin/modprobe"],
  ipvsadm: ["ipvsadm"],
  ldirectord: ["ldirectord"],
  keepalived: ["keepalived"],
  tcpdump: ["tcpdump"],
  nftables: ["nft"],
  iproute2: ["ip", "bridge"],
  "iputils-ping": ["ping"],
  "util-linux": ["nsenter", "setpriv"],
};
// Up to Debian 12 it comes with the emulator.
const virtiofsd = ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"];

try {
  if (process.arch !== "x64") throw new Error(`the machine is made for x86-64, this is ${process.arch}`);
  const missing = install(packages, ["keepalived", "ldirectord"]);
  if (!virtiofsd.some((file) => existsSync(file))) {
    install({ virtiofsd: ["/usr/libexec/virtiofsd"] }, []);
    missing.push("virtiofsd");
  }
  console.log(`vm-tools: all there (${missing.length} installed), Linux ${kernel()}`);
} catch (error) {
  console.error(`vm-tools: ${error.message}`);
  process.exit(1);
}

/** The version of the kernel that is there now. */
function kernel() {
  mkdirSync(kernels, { recursive: true });
  for (const left of readdirSync(kernels).filter((name) => name.startsWith("new-")))
    rmSync(join(kernels, left), { recursive: true });
  const known = readdirSync(kernels).at(-1);
  if (known !== undefined) return known;
  if (debianRelease() === undefined)
    throw new Error("no kernel: this is no Debian, and its kernel is what is tested with");
  // The package without a version depends on the one of today.
  run("apt-get", ["-qq", "update"]);
  const { stdout, stderr } = spawnSync("apt-cache", ["depends", "linux-image-cloud-amd64"], { encoding: "utf8" });
  const name = /Depends: (linux-image-(\S+))/.exec(stdout);
  if (name === null) throw new Error(`no kernel: linux-image-cloud-amd64 depends on nothing\n${stdout}${stderr}`);
  const [, image, version] = name;
  const folder = mkdtempSync(join(kernels, "new-"));
  run("apt-get", ["-qq", "-o", "APT::Sandbox::User=root", "download", image], { cwd: folder });
  const archive = readdirSync(folder).find((file) => file.endsWith(".deb"));
  run("dpkg-deb", ["-x", join(folder, archive), folder]);
  rmSync(join(folder, archive));
  run("/sbin/depmod", ["-b", folder, version]);
  renameSync(folder, join(kernels, version));
  return version;
}
