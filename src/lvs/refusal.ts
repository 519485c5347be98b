/** What the kernel's error numbers mean: the same one says different things of different commands. */
import { ErrorNumber, errnoName } from "../socket/errno.ts";
import type { Operation, OperationResult } from "./table.ts";
import { operationText } from "./text.ts";

/** The privilege that every command takes, reading included; a user namespace's own does not count. */
export const privilege = "it takes CAP_NET_ADMIN in the initial user namespace";

/** "add server 192.0.2.21:80 to tcp 192.0.2.10:80: it exists already (EEXIST)"; `text` is the kernel's own. */
export function refusal(operation: Operation, errno: number, text = ""): OperationResult {
  const reason = meaning(operation, errno) ?? text;
  const code = errnoName(errno);
  const told = reason === "" ? code : `${reason} (${code})`;
  return { errno, message: `${operationText(operation)}: ${told}` };
}

/** Refused here: nothing was sent. */
export function invalid(operation: Operation, problem: string): OperationResult {
  return { errno: ErrorNumber.EINVAL, message: `${operationText(operation)}: ${problem}` };
}

function meaning(operation: Operation, errno: number): string | undefined {
  switch (errno) {
    case ErrorNumber.EPERM:
      return privilege;
    case ErrorNumber.EEXIST:
      return "it exists already";
    case ErrorNumber.ESRCH:
      return "there is no such service";
    case ErrorNumber.ENOENT:
      return missing(operation);
    case ErrorNumber.ERANGE:
      return "weight or thresholds out of range";
    case ErrorNumber.EINVAL:
      return impossible(operation);
    case ErrorNumber.EAFNOSUPPORT:
      return `this kernel has no IPv${operation.service.family}, or it is switched off`;
    case ErrorNumber.ENOMEM:
      return "the kernel is out of memory";
    default:
      return undefined;
  }
}

function missing(operation: Operation): string {
  switch (operation.type) {
    case "add-service":
    case "edit-service": {
      const { scheduler, engine } = operation.settings;
      const modules = [`ip_vs_${scheduler}`, ...(engine === undefined ? [] : [`ip_vs_pe_${engine}`])];
      const what = `the scheduler ${scheduler}${engine === undefined ? "" : ` or the persistence engine ${engine}`}`;
      return `the kernel does not know ${what} and could not load it: modprobe ${modules.join(", modprobe ")}`;
    }
    case "delete-service":
      return "there is no such service";
    case "add-destination":
    case "edit-destination":
    case "delete-destination":
      return "there is no such server";
  }
}

/** What is refused of a command that is no operation on the table. */
export type Meanings = Readonly<Record<number, string>>;

export const startMeanings: Meanings = {
  [ErrorNumber.EEXIST]: "it is running already",
  [ErrorNumber.ENODEV]: "there is no such interface",
  [ErrorNumber.EINVAL]: "the kernel takes no such group, or there are servers of the other family than their service's",
  [ErrorNumber.EAFNOSUPPORT]: "IPv6 is switched off",
};
export const stopMeanings: Meanings = { [ErrorNumber.ESRCH]: "it is not running" };
export const zeroMeanings: Meanings = { [ErrorNumber.ESRCH]: "there is no such service" };

/** What is wrong in itself is not sent, so these are about the host. */
function impossible(operation: Operation): string {
  switch (operation.type) {
    case "add-service":
    case "edit-service":
      return "the kernel takes no such service; a name or a mask that it does not like";
    case "add-destination":
    case "edit-destination": {
      const { family } = operation.settings;
      const causes = [
        "its address is a broadcast address here or cannot be routed",
        "the network namespace has no address yet (its lo is down)",
        ...(family === operation.service.family
          ? []
          : ["servers of the other family and a sync daemon exclude each other"]),
      ];
      return `the kernel takes no such server: ${causes.join(", or ")}`;
    }
    case "delete-service":
    case "delete-destination":
      return "the kernel takes no such name";
  }
}
