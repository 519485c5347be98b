/** The messages of grpc.health.v1.Health/Check, as gRPC carries them: a byte for compression, a length, a protobuf message. */
import { readUint32, writeUint32 } from "./bytes.ts";

const prefixLength = 5;
/** Of a request, field 1 (text): the service; empty for the server as a whole. */
const serviceField = 0x0a;
/** Of a response, field 1 (number): its status. */
const statusField = 1;

export const servingStatuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const;

export function encodeHealthRequest(service: string): Uint8Array {
  const name = new TextEncoder().encode(service);
  const field = name.length === 0 ? [] : [serviceField, ...varint(name.length), ...name];
  const bytes = new Uint8Array(prefixLength + field.length);
  writeUint32(bytes, 1, field.length);
  bytes.set(field, prefixLength);
  return bytes;
}

/** "SERVING"…, or "status 9". Throws when it is no such response. */
export function decodeHealthResponse(bytes: Uint8Array): string {
  if (bytes.length < prefixLength) throw new Error("no message came");
  if (bytes[0] !== 0) throw new Error("the message is compressed, which was not asked for");
  if (readUint32(bytes, 1) !== bytes.length - prefixLength) throw new Error("the message is not as long as it says");
  const status = readStatus(bytes.subarray(prefixLength));
  return servingStatuses[status] ?? `status ${status}`;
}

/** Fields that came later than this was written are passed over. */
function readStatus(message: Uint8Array): number {
  let status = 0;
  for (let at = 0; at < message.length; ) {
    const tag = readVarint(message, at);
    at = tag.next;
    switch (tag.value & 7) {
      case 0: {
        const { value, next } = readVarint(message, at);
        if (tag.value >> 3 === statusField) status = value;
        at = next;
        break;
      }
      case 1:
        at += 8;
        break;
      case 2: {
        const { value, next } = readVarint(message, at);
        at = next + value;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        throw new Error("the message is no protobuf");
    }
    if (at > message.length) throw new Error("the message is cut off");
  }
  return status;
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

function readVarint(bytes: Uint8Array, from: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) throw new Error("the message is cut off");
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return { value, next: from + i + 1 };
  }
  throw new Error("the message is no protobuf");
}
