/**
 * A virtual machine with a kernel that has IPVS. It sees the file system of this machine, read-only, so that the same
 * Node, programs and checkout are there under the same paths; what it writes stays in its memory.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { encodeFrame, frameReader, type Order, type Report } from "./frames.ts";
import { writeInitramfs } from "./initramfs.ts";

type Accelerator = "kvm" | "tcg";

const root = join(import.meta.dirname, "../../..");
const cache = join(root, ".cache/vm");
const virtiofsd = ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"].find((file) => existsSync(file));

/** Milliseconds. A guest under KVM that has not spoken by then hangs: the same is then tried without. */
const limits: Readonly<Record<Accelerator, number>> = { kvm: 8_000, tcg: 60_000 };
/** Emulated, an old processor is the faster one: programs then leave wide registers alone. */
const processors: Readonly<Record<Accelerator, string>> = { kvm: "host", tcg: "Nehalem,+rdrand" };
/** Emulation is slow enough on a machine that has nothing else to do. */
const niceness = -5;
/** Milliseconds for everything; no machine is left behind. */
const lifetime = 900_000;

/** Why there can be no machine, or undefined. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  if (process.arch !== "x64") return `needs x86-64, this is ${process.arch}`;
  if (kernels().length === 0 || virtiofsd === undefined) return "needs node scripts/vm-tools.mjs";
  if (!existsSync(join(root, "dist/main.js"))) return "needs the built program: npm run build";
  return undefined;
}

function kernels(): string[] {
  const folder = join(cache, "kernels");
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith("new-")) : [];
}

export class Machine {
  readonly accelerator: Accelerator;
  /** What the kernel and the agent have written on the console. */
  console = "";
  readonly #directory: string;
  readonly #emulator: ChildProcess;
  readonly #port: Socket;
  readonly #listeners = new Map<number, (report: Report) => void>();
  #ended: string | undefined;

  private constructor(accelerator: Accelerator, directory: string, emulator: ChildProcess, port: Socket) {
    this.accelerator = accelerator;
    this.#directory = directory;
    this.#emulator = emulator;
    this.#port = port;
  }

  static async boot(): Promise<Machine> {
    const why = obstacle();
    if (why !== undefined) throw new Error(`the tests in the virtual machine cannot run: ${why}`);
    const wanted = process.env.VIPRD_VM_ACCELERATOR;
    if (wanted !== "tcg" && existsSync("/dev/kvm")) {
      try {
        return await Machine.#bootWith("kvm");
      } catch (error) {
        if (wanted === "kvm") throw error;
        console.warn(`vm: no KVM on this machine, emulating: ${error instanceof Error ? error.message : error}`);
      }
    }
    return Machine.#bootWith("tcg");
  }

  static async #bootWith(accelerator: Accelerator): Promise<Machine> {
    const version = kernels().at(-1) ?? "";
    const kernel = join(cache, "kernels", version);
    const directory = mkdtempSync(join(tmpdir(), "viprd-vm-"));
    const file = (name: string): string => join(directory, name);
    const agent = file("agent.mjs");
    let machine: Machine | undefined;
    let emulator: ChildProcess | undefined;
    try {
      writeInitramfs(file("initramfs"), join(kernel, "lib/modules", version));
      compilePeer();
      const bundle = await rolldown({ input: join(import.meta.dirname, "agent.ts"), platform: "node" });
      await bundle.write({ file: agent, format: "esm" });
      await bundle.close();
      await serveFiles(file("files"));
      const memory = `${Math.min(2048, Math.floor(totalmem() / 2 / 1024 ** 2))}M`;
      const settings = [
        "console=ttyS0 loglevel=5 panic=-1 oops=panic mitigations=off",
        // Environment of the first process.
        `NODE=${process.execPath} AGENT=${agent} MODULES=${join(kernel, "lib/modules")}`,
      ];
      emulator = spawn(
        ...bound("qemu-system-x86_64", [
          ...["-M", "pc", "-cpu", processors[accelerator], "-smp", `${Math.min(2, cpus().length)}`],
          ...["-accel", accelerator === "kvm" ? "kvm" : "tcg,thread=multi"],
          // Memory that the process which serves files may look into.
          ...["-m", memory, "-object", `memory-backend-memfd,id=memory,size=${memory},share=on`],
          ...["-numa", "node,memdev=memory", "-nodefaults", "-display", "none", "-no-reboot"],
          ...[
            "-chardev",
            `socket,id=files,path=${file("files")}`,
            "-device",
            "vhost-user-fs-pci,chardev=files,tag=host",
          ],
          ...["-chardev", `socket,id=port,path=${file("port")},server=on,wait=off`, "-device", "virtio-serial-pci"],
          ...["-device", "virtserialport,chardev=port,name=viprd", "-serial", "stdio"],
          ...["-kernel", join(kernel, `boot/vmlinuz-${version}`), "-initrd", file("initramfs")],
          ...["-append", settings.join(" ")],
        ]),
        // A session of its own, which on a desktop or server kernel is scheduled as one.
        { stdio: ["ignore", "pipe", "pipe"], detached: true },
      );
      const session = `/proc/${emulator.pid}/autogroup`;
      if (existsSync(session)) writeFileSync(session, `${niceness}`);
      const deadline = Date.now() + limits[accelerator];
      const port = await connected(file("port"), emulator, deadline);
      machine = new Machine(accelerator, directory, emulator, port);
      await machine.#ready(deadline);
      setTimeout(() => machine?.stop(), lifetime).unref();
      return machine;
    } catch (error) {
      emulator?.kill("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
      const said = machine?.console ?? "";
      throw new Error(`${accelerator}: ${error instanceof Error ? error.message : error}\n${said.slice(-2_000)}`);
    }
  }

  #ready(deadline: number): Promise<void> {
    const keep = (chunk: Buffer): void => {
      this.console += chunk.toString();
    };
    this.#emulator.stdout?.on("data", keep);
    this.#emulator.stderr?.on("data", keep);
    this.#port.on("error", () => undefined);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the machine does not answer in time")), deadline - Date.now());
      const settled = (): void => clearTimeout(timer);
      this.#emulator.on("close", (code, signal) => {
        settled();
        this.#ended = `the machine has ended (${signal ?? code})\n${this.console.slice(-6_000)}`;
        rmSync(this.#directory, { recursive: true, force: true });
        for (const [id, listener] of [...this.#listeners]) listener({ kind: "exit", id, code: null, signal: null });
        reject(new Error(this.#ended));
      });
      const take = (report: Report): void => {
        if (report.kind !== "ready") this.#listeners.get(report.id)?.(report);
        else {
          settled();
          resolve();
        }
      };
      this.#port.on("data", frameReader(take));
    });
  }

  get ended(): string | undefined {
    return this.#ended;
  }

  send(order: Order): void {
    this.#port.write(encodeFrame(order));
  }

  listen(id: number, listener: (report: Report) => void): void {
    this.#listeners.set(id, listener);
  }

  forget(id: number): void {
    this.#listeners.delete(id);
  }

  async stop(): Promise<void> {
    if (this.#ended !== undefined) return;
    const closed = new Promise((resolve) => this.#emulator.once("close", resolve));
    this.#emulator.kill("SIGKILL");
    await closed;
  }
}

/** The hosts of the tests. Static: loading libraries is much of what a start costs. */
function compilePeer(): void {
  const source = join(root, "test/vm/support/peer.c");
  const options = ["-O1", "-Wall", "-Wextra", "-Werror", "-static", "-pthread"];
  const { status, stderr, error } = spawnSync("cc", [...options, "-o", join(cache, "peer"), source]);
  if (status !== 0) throw new Error(`cannot compile ${source}: ${error?.message ?? stderr}`);
}

/** Dies with us, and runs ahead of what else this machine is doing. The pid is that of the command. */
function bound(command: string, args: readonly string[]): [string, string[]] {
  return ["nice", ["-n", `${niceness}`, "setpriv", "--pdeathsig", "KILL", command, ...args]];
}

/** The process that serves the files. It ends when the emulator lets go of the socket. */
async function serveFiles(socket: string): Promise<void> {
  const own = virtiofsd?.startsWith("/usr/libexec")
    ? ["--shared-dir=/", "--sandbox=chroot", "--cache=always"]
    : ["-o", "source=/", "-o", "sandbox=chroot", "-o", "cache=always"];
  const server = spawn(...bound(virtiofsd ?? "virtiofsd", [`--socket-path=${socket}`, ...own]), {
    stdio: ["ignore", "ignore", "pipe"],
  });
  server.unref();
  let said = "";
  server.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000);
  });
  for (let waited = 0; !existsSync(socket); waited += 20) {
    if (server.exitCode !== null || waited > 5_000) throw new Error(`virtiofsd does not serve files: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function connected(path: string, emulator: ChildProcess, deadline: number): Promise<Socket> {
  for (;;) {
    if (emulator.exitCode !== null || emulator.signalCode !== null) throw new Error("the emulator has ended");
    if (Date.now() > deadline) throw new Error("the emulator does not open its port in time");
    const socket = connect(path);
    const open = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    if (open) return socket;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

mkdirSync(cache, { recursive: true });
