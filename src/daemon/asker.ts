/** Who asks at the control socket, as text for log and status. */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { peerOf } from "../socket/peer.ts";

/** "root (uid 0)", "root (uid 0), logged in as alice"; "operator" when it cannot be known. */
export function askerOf(socket: Socket | undefined): string {
  const descriptor = descriptorOf(socket);
  const peer = descriptor === undefined ? undefined : peerOf(descriptor);
  if (peer === undefined) return "operator";
  const accounts = readOr("/etc/passwd", "");
  const user = `${accountName(accounts, peer.uid) ?? "user"} (uid ${peer.uid})`;
  const login = loginOf(peer.pid);
  if (login === undefined || login === peer.uid) return user;
  return `${user}, logged in as ${accountName(accounts, login) ?? `uid ${login}`}`;
}

export function accountName(accounts: string, uid: number): string | undefined {
  const fields = accounts.split("\n").map((line) => line.split(":"));
  return fields.find(([, , id]) => id === String(uid))?.[0];
}

/** Node has the descriptor, and no name for it in its interface. */
function descriptorOf(socket: Socket | undefined): number | undefined {
  if (socket === undefined || !("_handle" in socket)) return undefined;
  const handle = socket._handle;
  if (typeof handle !== "object" || handle === null || !("fd" in handle)) return undefined;
  return typeof handle.fd === "number" && handle.fd >= 0 ? handle.fd : undefined;
}

/** Who logged in before it became another user with sudo or su; the kernel remembers it for audits. */
function loginOf(pid: number): number | undefined {
  const uid = Number(readOr(`/proc/${pid}/loginuid`, "").trim() || Number.NaN);
  // All ones: nobody logged in, a service does this.
  return Number.isInteger(uid) && uid < 2 ** 32 - 1 ? uid : undefined;
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Without it a name is missing, and nothing else.
    return otherwise;
  }
}
