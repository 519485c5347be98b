/** A refusal by the kernel, in its own words. */
import { ErrorNumber, errnoName } from "../socket/errno.ts";

/** What an error calls a request; a function is only called when there is an error. */
export type Operation = string | (() => string);

export function operationText(operation: Operation): string {
  return typeof operation === "string" ? operation : operation();
}

/** `add address 192.0.2.1/24 to eth0: EEXIST (ipv4: Address already assigned)` */
export class NetlinkError extends Error {
  override readonly name = "NetlinkError";
  /** "EEXIST" */
  readonly code: string;
  readonly errno: number;
  /** What was asked, with its object. */
  readonly operation: string;
  /** The kernel's own words, or better ones; "" without any. */
  readonly text: string;

  constructor(operation: string, errno: number, text = "") {
    const code = errnoName(errno);
    // Everything rtnetlink and IPVS refuse with EPERM is refused for want of this one capability.
    const known = errno !== ErrorNumber.EPERM || text.includes("CAP_NET_ADMIN");
    const words = known ? [text] : [text, "needs CAP_NET_ADMIN"];
    const detail = words.filter((word) => word !== "").join("; ");
    super(detail === "" ? `${operation}: ${code}` : `${operation}: ${code} (${detail})`);
    this.code = code;
    this.errno = errno;
    this.operation = operation;
    this.text = text;
  }
}
