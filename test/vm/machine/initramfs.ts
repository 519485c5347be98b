/** The first file system of the machine: a static shell and the modules that reach the host's file system. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const wanted = ["virtio_pci", "virtiofs", "overlay", "virtio_console"];

/** Below lib/modules/VERSION: those that are wanted and what they depend on, in the order of loading. */
function loadOrder(modules: string): string[] {
  const lines = readFileSync(join(modules, "modules.dep"), "utf8").trim().split("\n");
  const dependencies = new Map(
    lines.map((line) => {
      const [file = "", needs = ""] = line.split(":");
      return [file, needs.trim().split(" ").filter(Boolean)] as const;
    }),
  );
  const order: string[] = [];
  const visit = (file: string): void => {
    for (const needed of dependencies.get(file) ?? []) visit(needed);
    if (!order.includes(file)) order.push(file);
  };
  for (const name of wanted) {
    const file = [...dependencies.keys()].find((candidate) => basename(candidate).split(".", 1)[0] === name);
    // Otherwise it is part of the kernel.
    if (file !== undefined) visit(file);
  }
  return order;
}

/** `modules`: lib/modules/VERSION of the kernel. */
export function writeInitramfs(file: string, modules: string): void {
  const root = mkdtempSync(join(tmpdir(), "viprd-initramfs-"));
  try {
    for (const name of ["bin", "dev", "proc", "sys", "modules", "host", "layer", "new"]) mkdirSync(join(root, name));
    copyFileSync("/bin/busybox", join(root, "bin/busybox"));
    copyFileSync("/bin/busybox", join(root, "bin/sh"));
    copyFileSync(join(import.meta.dirname, "init.sh"), join(root, "init"));
    const names = loadOrder(modules).map((module) => {
      const name = basename(module).replace(/\.xz$/, "");
      const content = module.endsWith(".xz")
        ? output("xz", ["-dc", join(modules, module)])
        : readFileSync(join(modules, module));
      writeFileSync(join(root, "modules", name), content);
      return name;
    });
    writeFileSync(join(root, "modules/list"), names.map((name) => `${name}\n`).join(""));
    writeFileSync(file, output("sh", ["-ec", `cd ${root}; chmod 755 init bin/*; find . | cpio --quiet -o -H newc`]));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function output(command: string, args: readonly string[]): Buffer {
  const { status, stdout, stderr, error } = spawnSync(command, args, { maxBuffer: 256 * 1024 * 1024 });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr.toString()}`);
  return stdout;
}
