/** Bodies of the commands. */
import { genericBody } from "../netlink/generic.ts";
import * as k from "./constants.ts";
import { writeDestination, writeDestinationIdentity } from "./destination-codec.ts";
import type { ServiceAddress, TimeoutParameters } from "./parameters.ts";
import { writeService, writeServiceIdentity } from "./service-codec.ts";
import { writeSyncDaemon, writeSyncRole, writeTimeouts } from "./sync-codec.ts";
import type { KernelSyncDaemon, Operation, SyncRole } from "./table.ts";

const commands: Readonly<Record<Operation["type"], number>> = {
  "add-service": k.IPVS_CMD_NEW_SERVICE,
  "edit-service": k.IPVS_CMD_SET_SERVICE,
  "delete-service": k.IPVS_CMD_DEL_SERVICE,
  "add-destination": k.IPVS_CMD_NEW_DEST,
  "edit-destination": k.IPVS_CMD_SET_DEST,
  "delete-destination": k.IPVS_CMD_DEL_DEST,
};

/** Throws RangeError for an address that is none; validateOperation() finds it before. */
export function encodeOperation(operation: Operation): Uint8Array {
  const writer = genericBody(commands[operation.type], k.IPVS_GENL_VERSION);
  switch (operation.type) {
    case "add-service":
    case "edit-service":
      writeService(writer, operation.service, operation.settings);
      break;
    case "delete-service":
      writeServiceIdentity(writer, operation.service);
      break;
    case "add-destination":
    case "edit-destination":
      writeServiceIdentity(writer, operation.service);
      writeDestination(writer, operation.settings);
      break;
    case "delete-destination":
      writeServiceIdentity(writer, operation.service);
      writeDestinationIdentity(writer, operation);
      break;
  }
  return writer.finish();
}

/** Commands about one service, or about all of them. */
export function encodeServiceCommand(command: number, service?: ServiceAddress): Uint8Array {
  const writer = genericBody(command, k.IPVS_GENL_VERSION);
  if (service !== undefined) writeServiceIdentity(writer, service);
  return writer.finish();
}

export function encodeStartSyncDaemon(daemon: KernelSyncDaemon): Uint8Array {
  const writer = genericBody(k.IPVS_CMD_NEW_DAEMON, k.IPVS_GENL_VERSION);
  writeSyncDaemon(writer, daemon);
  return writer.finish();
}

export function encodeStopSyncDaemon(role: SyncRole): Uint8Array {
  const writer = genericBody(k.IPVS_CMD_DEL_DAEMON, k.IPVS_GENL_VERSION);
  writeSyncRole(writer, role);
  return writer.finish();
}

export function encodeSetTimeouts(timeouts: TimeoutParameters): Uint8Array {
  const writer = genericBody(k.IPVS_CMD_SET_CONFIG, k.IPVS_GENL_VERSION);
  writeTimeouts(writer, timeouts);
  return writer.finish();
}
