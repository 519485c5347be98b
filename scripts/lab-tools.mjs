// Installs the Debian packages that the lab tests need and that are missing. Quick when everything is there.
import { debianRelease, install } from "./debian-packages.mjs";

const packages = {
  keepalived: ["keepalived"],
  frr: ["/usr/lib/frr/vrrpd"],
  tcpdump: ["tcpdump"],
  tshark: ["tshark"],
  nftables: ["nft"],
  iproute2: ["ip", "bridge"],
  "iputils-ping": ["ping"],
  // Servers that checks are run against.
  "redis-server": ["redis-server", "redis-cli"],
  postgresql: ["/usr/lib/postgresql"],
  "util-linux": ["nsenter"],
  // The package brings a binary for arm64 as well.
  "gcc-aarch64-linux-gnu": ["aarch64-linux-gnu-gcc"],
  "libc6-dev-arm64-cross": ["/usr/aarch64-linux-gnu/include/stdio.h"],
};

try {
  const missing = install(packages, ["keepalived", "frr", "redis-server", "postgresql"]);
  console.log(`lab-tools: all there (Debian ${debianRelease() ?? "unknown"}, ${missing.length} installed)`);
} catch (error) {
  console.error(`lab-tools: ${error.message}`);
  process.exit(1);
}
