/** Bodies of the commands. */
import { BodyWriter } from "../netlink/attributes.ts";
import { genericBody } from "../netlink/generic.ts";
import * as k from "./constants.ts";
import { DestinationModel, writeDestination, writeDestinationIdentity } from "./destination-codec.ts";
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
  return new OperationEncoder().encode(operation);
}

/** Of the bodies between two resets: a request has some 100 bytes. */
const room = 64 * 1024;

/**
 * As encodeOperation(), for many in a row: what is done to the servers of one service is alike for the most part. The
 * bodies lie in memory that is used again after reset().
 */
export class OperationEncoder {
  readonly #room = new Uint8Array(room);
  #used = 0;
  #service: ServiceAddress | undefined;
  #named = new Uint8Array();
  #type: Operation["type"] | undefined;
  #model: DestinationModel | undefined;

  reset(): void {
    this.#used = 0;
  }

  encode(operation: Operation): Uint8Array {
    const { service, type } = operation;
    if (service !== this.#service || type !== this.#type) this.#model = undefined;
    this.#type = type;
    switch (operation.type) {
      case "add-service":
      case "edit-service": {
        const writer = body(operation);
        writeService(writer, service, operation.settings);
        return writer.finish();
      }
      case "delete-service": {
        const writer = body(operation);
        writeServiceIdentity(writer, service);
        return writer.finish();
      }
      case "add-destination":
      case "edit-destination":
        return this.#destination(operation);
      case "delete-destination": {
        const writer = body(operation);
        writer.attributes(this.#name(service));
        writeDestinationIdentity(writer, operation);
        return writer.finish();
      }
    }
  }

  #destination(operation: Operation & { readonly type: "add-destination" | "edit-destination" }): Uint8Array {
    const { service, settings } = operation;
    if (this.#model?.fits(settings) === true) {
      const bytes = this.#take(this.#model.length);
      this.#model.write(bytes, settings);
      return bytes;
    }
    const writer = body(operation);
    writer.attributes(this.#name(service));
    const start = writer.length;
    writeDestination(writer, settings);
    const bytes = writer.finish();
    this.#model = new DestinationModel(bytes, start, settings);
    return bytes;
  }

  #take(length: number): Uint8Array {
    if (this.#used + length > this.#room.length) return new Uint8Array(length);
    const start = this.#used;
    this.#used += length;
    return this.#room.subarray(start, this.#used);
  }

  #name(service: ServiceAddress): Uint8Array {
    if (service !== this.#service) {
      const writer = new BodyWriter(0);
      writeServiceIdentity(writer, service);
      this.#named = writer.finish().slice();
      this.#service = service;
    }
    return this.#named;
  }
}

function body(operation: Operation): BodyWriter {
  return genericBody(commands[operation.type], k.IPVS_GENL_VERSION);
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
