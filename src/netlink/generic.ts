/**
 * Generic netlink (linux/genetlink.h): families of commands that share one netlink protocol. A family has a name, and a
 * number that the kernel gives it when its module is loaded, so it is asked for first. A message body begins with
 *
 *     u8 command | u8 version | u16 reserved
 */
import { AttributeReader, BodyWriter } from "./attributes.ts";
import type { Connection } from "./connection.ts";

export const GENERIC_HEADER = 4;

/** The family of the controller, the only one with a fixed number, and what is asked of it. */
export const GENL_ID_CTRL = 16;
export const CTRL_CMD_GETFAMILY = 3;
export const CTRL_ATTR_FAMILY_ID = 1;
export const CTRL_ATTR_FAMILY_NAME = 2;
export const CTRL_ATTR_VERSION = 3;

export interface GenericFamily {
  readonly name: string;
  /** The message type of its requests. */
  readonly id: number;
  readonly version: number;
}

/** A body with its header; attributes follow. */
export function genericBody(command: number, version: number): BodyWriter {
  const writer = new BodyWriter(GENERIC_HEADER);
  writer.setU8(0, command);
  writer.setU8(1, version);
  return writer;
}

export function encodeGetFamily(name: string): Uint8Array {
  const writer = genericBody(CTRL_CMD_GETFAMILY, 1);
  writer.text(CTRL_ATTR_FAMILY_NAME, name);
  return writer.finish();
}

export function decodeFamily(payload: Uint8Array): GenericFamily | undefined {
  let name = "";
  let id = 0;
  let version = 0;
  const reader = new AttributeReader(payload, GENERIC_HEADER);
  while (reader.next()) {
    switch (reader.type) {
      case CTRL_ATTR_FAMILY_NAME:
        name = reader.text();
        break;
      case CTRL_ATTR_FAMILY_ID:
        id = reader.u16();
        break;
      case CTRL_ATTR_VERSION:
        version = reader.u32();
        break;
    }
  }
  return reader.bad || id === 0 ? undefined : { name, id, version };
}

/** The kernel loads the module that has the family, if it can; ENOENT: nobody has it. */
export async function resolveFamily(connection: Connection, name: string): Promise<GenericFamily> {
  const operation = `find the generic netlink family ${name}`;
  const family = decodeFamily(await connection.get(operation, GENL_ID_CTRL, encodeGetFamily(name)));
  if (family === undefined) throw new Error(`${operation}: the kernel's answer has no number`);
  return family;
}
