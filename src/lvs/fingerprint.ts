/**
 * A number for the table as /proc/net/ip_vs shows it, without the connections, which come and go:
 *
 *     IP Virtual Server version 1.2.1 (size=4096)
 *     Prot LocalAddress:Port Scheduler Flags
 *       -> RemoteAddress:Port Forward Weight ActiveConn InActConn
 *     TCP  C000020A:0050 wlc persistent 360 FFFFFFFF
 *       -> C0000215:0050      Masq    1      0          0
 */
const newline = 0x0a;
const space = 0x20;
const greater = 0x3e;
/** "->", address, method, weight: what follows are connections. */
const fieldsOfServer = 4;

/** Takes the text in any portions. */
export class Fingerprint {
  #low = 0xdeadbeef;
  #high = 0x41c6ce57;
  /** Of the line: whether it is a server's, how many fields have begun, whether a field is under way. */
  #server = false;
  #fields = 0;
  #inField = false;

  add(bytes: Uint8Array): void {
    let low = this.#low;
    let high = this.#high;
    let server = this.#server;
    let fields = this.#fields;
    let inField = this.#inField;
    for (const byte of bytes) {
      if (byte === newline) {
        server = false;
        fields = 0;
        inField = false;
      } else if (byte === space) {
        inField = false;
        continue;
      } else if (!inField) {
        inField = true;
        fields += 1;
      } else if (byte === greater && fields === 1) server = true;
      if (server && fields > fieldsOfServer) continue;
      low = Math.imul(low ^ byte ^ (fields << 8), 2654435761);
      high = Math.imul(high ^ byte ^ (fields << 8), 1597334677);
    }
    this.#low = low;
    this.#high = high;
    this.#server = server;
    this.#fields = fields;
    this.#inField = inField;
  }

  finish(): string {
    const mixed = (value: number): string => {
      let mix = Math.imul(value ^ (value >>> 16), 2246822507);
      mix = Math.imul(mix ^ (mix >>> 13), 3266489909);
      return ((mix ^ (mix >>> 16)) >>> 0).toString(16).padStart(8, "0");
    };
    return mixed(this.#low) + mixed(this.#high);
  }
}
