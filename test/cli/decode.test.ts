/** `viprd decode` as its users see it: what goes in, what comes out, the exit code. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import { decode, decodeCommand } from "../../src/cli/decode.ts";
import { readKeys } from "../../src/cli/decode-keys.ts";
import { encodeAdvertisement } from "../../src/vrrp/advertisement.ts";
import { encodeGratuitousArp } from "../../src/wire/arp.ts";
import { ethernet, ipPacket, joined, pcap, pcapng } from "../support/captures.ts";
import { hex, toHex } from "../support/hex.ts";
import { address, addressList, altered, v2Fields, v3Fields, v6Fields } from "../support/packets.ts";
import { secrets, signed } from "../support/signed.ts";

const folder = mkdtempSync(join(tmpdir(), "viprd-decode-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Flags = Parameters<typeof decode>[0];
const defaults: Flags = { vrrpVersion: "any", checksum: "either", firstLinkLocal: "strict", json: true };

async function run(flags: Partial<Flags>, input: readonly (string | Uint8Array)[] = []) {
  const output = new PassThrough();
  const errors = new PassThrough();
  async function* chunks() {
    yield* input;
  }
  const code = await decode({ ...defaults, ...flags }, chunks(), output, errors);
  output.end();
  errors.end();
  const lines = everythingFrom(output).split("\n").slice(0, -1);
  return { code, lines, errors: everythingFrom(errors) };
}

/** One read() gives all that is buffered, or from Node 26 on one chunk of it. */
function everythingFrom(stream: PassThrough): string {
  let text = "";
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) text += chunk;
  return text;
}

async function runFile(file: Uint8Array, flags: Partial<Flags> = {}) {
  const path = join(folder, "capture.pcap");
  writeFileSync(path, file);
  const { code, lines, errors } = await run({ ...flags, pcap: path });
  return { code, lines, errors: errors.replaceAll(path, "FILE") };
}

const arp = encodeGratuitousArp(hex("00005e000133"), address("192.0.2.1"));
const tcp = ethernet(ipPacket(v3Fields));
tcp[23] = 6;

test("valid packets have the documented keys in the documented order", async () => {
  const frames = [v2Fields, v3Fields, { ...v3Fields, checksumForm: "pseudo_header" } as const, v6Fields].map((fields) =>
    ethernet(ipPacket(fields)),
  );
  expect(await runFile(pcap(frames))).toEqual({
    code: 0,
    errors: "",
    lines: [
      '{"n":1,"valid":true,"version":2,"family":4,"vrid":51,"priority":100,"interval_cs":100,"addresses":["192.0.2.1"],"source":"192.0.2.11","destination":"224.0.0.18","ttl":255,"checksum":"message"}',
      '{"n":2,"valid":true,"version":3,"family":4,"vrid":51,"priority":100,"interval_cs":100,"addresses":["192.0.2.1"],"source":"192.0.2.11","destination":"224.0.0.18","ttl":255,"checksum":"message"}',
      '{"n":3,"valid":true,"version":3,"family":4,"vrid":51,"priority":100,"interval_cs":100,"addresses":["192.0.2.1"],"source":"192.0.2.11","destination":"224.0.0.18","ttl":255,"checksum":"pseudo_header"}',
      '{"n":4,"valid":true,"version":3,"family":6,"vrid":51,"priority":100,"interval_cs":100,"addresses":["fe80::1","2001:db8::1"],"source":"fe80::11","destination":"ff02::12","ttl":255,"checksum":"pseudo_header"}',
    ],
  });
});

test("invalid packets name the error and what could be read", async () => {
  const frames = [
    ethernet(ipPacket(v3Fields, altered(v3Fields, { 1: 0 }))),
    ethernet(ipPacket(v3Fields, undefined, 64)),
    ethernet(ipPacket(v3Fields)).subarray(0, 44),
    ethernet(ipPacket(v3Fields, new Uint8Array(0))),
    hex(""),
  ];
  const { code, lines } = await runFile(pcap(frames));
  expect(code).toBe(0);
  expect(lines).toEqual([
    '{"n":1,"valid":false,"error":"vrid_zero","source":"192.0.2.11","destination":"224.0.0.18","ttl":255,"family":4,"version":3,"vrid":0,"priority":100}',
    '{"n":2,"valid":false,"error":"ttl","source":"192.0.2.11","destination":"224.0.0.18","ttl":64,"family":4,"version":3,"vrid":51,"priority":100}',
    '{"n":3,"valid":false,"error":"ip","source":"192.0.2.11","destination":"224.0.0.18","ttl":255,"family":4}',
    '{"n":4,"valid":false,"error":"short","source":"192.0.2.11","destination":"224.0.0.18","ttl":255,"family":4}',
    '{"n":5,"valid":false,"error":"ip","source":null}',
  ]);
});

describe("signed advertisements", () => {
  const stamp = { seconds: 1_790_000_000, fraction: 0x8000_0002 };
  const key = `1:hex:${secrets[1]}`;
  const packets = [v2Fields, v3Fields, v6Fields].map((fields) => ipPacket(fields, signed(fields, stamp)));
  const trailer =
    '"hmac":{"key_id":1,"stamped":"2026-09-21T14:13:20.500Z","seconds":1790000000,"subseconds":32768,"counter":2,"verified":';
  const keysOf = (...texts: string[]) => {
    const keys = readKeys(texts);
    if (typeof keys === "string") throw new Error(keys);
    return { keys };
  };

  test("are too long for a router without a key, and what they carry is shown", async () => {
    const { lines } = await runFile(pcap(packets.map((packet) => ethernet(packet))));
    expect(lines.map((line) => JSON.parse(line).error)).toEqual(["long", "long", "long"]);
    for (const line of lines) expect(line).toContain(`${trailer}null}`);
  });

  test("are verified with the right key, in every form that comes in", async () => {
    const { lines } = await runFile(
      pcap(packets.map((packet) => ethernet(packet))),
      keysOf(key, `2:hex:${secrets[2]}`),
    );
    expect(lines.map((line) => JSON.parse(line).valid)).toEqual([true, true, true]);
    for (const line of lines) expect(line).toContain(`${trailer}true}`);
    const bare = toHex(signed(v6Fields, stamp));
    const known = { source: v6Fields.source, ...keysOf(key) };
    expect((await run(known, [`${bare}\n`])).lines[0]).toContain(`${trailer}true}`);
    // Without its source a message cannot be verified.
    const bare4 = toHex(signed(v3Fields, stamp));
    expect(JSON.parse((await run(keysOf(key), [`${bare4}\n`])).lines[0] ?? "")).toMatchObject({
      error: "hmac_invalid",
    });
  });

  test.each([
    ["hmac_invalid", ipPacket(v3Fields, signed(v3Fields, stamp, { id: 1, secret: 2 })), false],
    ["hmac_unknown_key", ipPacket(v3Fields, signed(v3Fields, stamp, { id: 3 })), null],
    ["hmac_malformed", ipPacket(v3Fields, signed(v3Fields, stamp).with(14, 1)), null],
    ["hmac_missing", ipPacket(v3Fields), undefined],
  ] as const)("%s", async (error, packet, verified) => {
    const { lines } = await runFile(pcap([ethernet(packet)]), keysOf(key));
    const answer = JSON.parse(lines[0] ?? "");
    expect(answer).toMatchObject({ valid: false, error });
    expect(answer.hmac?.verified).toBe(verified);
  });

  test("are told about in words", async () => {
    const shown = async (flags: Partial<Flags>) => {
      const path = join(folder, "signed.pcap");
      writeFileSync(path, pcap([ethernet(packets[1] ?? new Uint8Array())]));
      return (await run({ ...flags, pcap: path, json: undefined as unknown as true })).lines[0];
    };
    expect(await shown({})).toContain("(hmac key 1, 2026-09-21T14:13:20.500Z + 2, unverified: no --hmac-key for it)");
    expect(await shown(keysOf(key))).toContain("(hmac key 1, 2026-09-21T14:13:20.500Z + 2, verified)");
  });

  test("need keys that are understood; a complaint repeats no secret", () => {
    const file = join(folder, "vrrp.key");
    writeFileSync(file, `hex:${secrets[1]}\n`);
    expect(readKeys([`7:file:${file}`])).toMatchObject([{ id: 7 }]);
    expect(readKeys([])).toEqual([]);
    for (const text of [
      `hex:${secrets[1]}`,
      `0:hex:${secrets[1]}`,
      `256:hex:${secrets[1]}`,
      `1:${secrets[1]}`,
      "1:hex:00",
    ]) {
      const complaint = readKeys([key, text]);
      expect(complaint).toMatch(/^(expected ID:|key 1: expected )/);
      expect(complaint).not.toContain("0001");
    }
    expect(readKeys([`1:file:${file}.none`])).toBe(
      `key 1: cannot read ${file}.none: no such file or directory (ENOENT)`,
    );
  });
});

test("packets that are plainly something else are counted and passed over", async () => {
  const { lines } = await runFile(pcap([arp, ethernet(ipPacket(v3Fields)), tcp, tcp, ethernet(ipPacket(v2Fields))]));
  expect(lines.map((line) => JSON.parse(line).n)).toEqual([2, 5]);
});

test("a capture without VRRP gives nothing, and that is no error", async () => {
  expect(await runFile(pcap([arp, tcp]))).toEqual({ code: 0, lines: [], errors: "" });
});

test("tags, raw IP and pcapng make no difference", async () => {
  const packet = ipPacket(v3Fields);
  const files = [
    pcap([ethernet(packet, hex("8100 0064"))]),
    pcap([ethernet(packet, hex("88a8 0064 8100 0065"))]),
    pcap([packet], { linkType: 101 }),
    pcap([packet], { linkType: 228, littleEndian: false, nanoseconds: true }),
    pcap([joined(hex("0001 0001 0006 00005e0001330000 0800"), packet)], { linkType: 113 }),
    pcap([joined(hex("0800 0000 00000002 0001 01 06 00005e0001330000"), packet)], { linkType: 276 }),
    pcapng([ethernet(packet)]),
    pcapng([packet], 101, false),
  ];
  for (const file of files) {
    const { code, lines } = await runFile(file);
    expect([code, JSON.parse(lines[0] ?? "{}")]).toMatchObject([0, { n: 1, valid: true, vrid: 51 }]);
  }
});

test("padding of the link is ignored, whatever its content", async () => {
  const { lines } = await runFile(pcap([joined(ethernet(ipPacket(v3Fields)), hex("deadbeefdead"))]));
  expect(JSON.parse(lines[0] ?? "{}")).toMatchObject({ valid: true });
});

test("fragments cannot be judged", async () => {
  const fragment = ethernet(ipPacket(v3Fields));
  fragment[20] = 0x20;
  const { lines } = await runFile(pcap([fragment]));
  expect(JSON.parse(lines[0] ?? "{}")).toMatchObject({ valid: false, error: "ip" });
});

test("IPv6 extension headers in front of VRRP are walked, other chains passed over", async () => {
  const packet = ipPacket(v6Fields);
  const extended = (chain: Uint8Array, first: number) => {
    const whole = joined(packet.subarray(0, 40), chain, packet.subarray(40));
    whole[5] = (whole[5] ?? 0) + chain.length;
    whole[6] = first;
    return whole;
  };
  const file = [
    extended(hex("7000 050200000100"), 0),
    extended(hex("7000 0001 00000001"), 44),
    extended(hex("3a00 050200000000"), 0),
    extended(hex("3a00 050200000000"), 0).subarray(0, 60),
    extended(hex("7000 050200000000"), 0).subarray(0, 60),
  ];
  const { lines } = await runFile(pcap(file, { linkType: 101 }));
  expect(lines.map((line) => JSON.parse(line)).map(({ n, valid, error }) => [n, valid, error])).toEqual([
    [1, true, undefined],
    [2, false, "ip"],
    [5, false, "ip"],
  ]);
});

test.each([
  [{ vrrpVersion: "2" }, ["valid", "version", "version"]],
  [{ vrrpVersion: "3" }, ["version", "valid", "first_not_link_local"]],
  [{ checksum: "message" }, ["valid", "checksum", "first_not_link_local"]],
  [{ checksum: "pseudo_header" }, ["valid", "valid", "first_not_link_local"]],
  [{ firstLinkLocal: "lenient" }, ["valid", "valid", "valid"]],
] as const)("%j decides what is valid", async (flags, expected) => {
  const pseudo = { ...v3Fields, checksumForm: "pseudo_header" } as const;
  const globalFirst = { ...v6Fields, addressBytes: addressList("2001:db8::1") };
  const file = pcap([v2Fields, pseudo, globalFirst].map((fields) => ethernet(ipPacket(fields))));
  const answers = (await runFile(file, flags)).lines.map((line) => JSON.parse(line));
  expect(answers.map(({ valid, error }) => (valid ? "valid" : error))).toEqual(expected);
});

test("without --json each packet is a line for people", async () => {
  const frames = [ipPacket(v3Fields), ipPacket(v3Fields, undefined, 3), hex("45")];
  const at = [new Date(2026, 2, 1, 13, 5, 9).getTime() / 1000, 123_456] as const;
  const { lines } = await runFile(pcap(frames, { linkType: 101, at }), { json: false as never });
  expect(lines).toEqual([
    "   1  13:05:09.123456  v3 ipv4  vrid 51   prio 100  1s     192.0.2.11 → 224.0.0.18  ttl 255  192.0.2.1  (checksum message)",
    "   2  13:05:09.123456  rejected: ttl  from 192.0.2.11 → 224.0.0.18  ttl 3  v3  vrid 51",
    "   3  13:05:09.123456  rejected: ip",
  ]);
  const hexLine = await run({ json: false as never }, [toHex(ipPacket(v3Fields, undefined, 3))]);
  expect(hexLine.lines).toEqual(["   1  rejected: ttl  from 192.0.2.11 → 224.0.0.18  ttl 3  v3  vrid 51"]);
});

test("with --time JSON tells when a packet was captured, null where nothing says so", async () => {
  const times = async (file: Uint8Array) =>
    (await runFile(file, { time: true })).lines.map((line) => JSON.parse(line).time);
  const frames = [ethernet(ipPacket(v3Fields))];
  expect(await times(pcap(frames, { at: [1_700_000_000, 20] }))).toEqual(["2023-11-14T22:13:20.000020000Z"]);
  expect(await times(pcap(frames, { at: [1_700_000_000, 20], nanoseconds: true }))).toEqual([
    "2023-11-14T22:13:20.000000020Z",
  ]);
  const { lines } = await run({ time: true }, [toHex(ipPacket(v3Fields))]);
  expect(JSON.parse(lines[0] ?? "{}")).toMatchObject({ n: 1, valid: true, time: null });
});

test("a capture file where hex is expected is told with what to do", async () => {
  const { code, lines, errors } = await run({}, [pcap([ethernet(ipPacket(v3Fields))])]);
  expect([code, lines, errors]).toEqual([
    2,
    [],
    "viprd decode: this is a capture file, no hex: read it with --pcap FILE, or with --pcap - from here\n",
  ]);
});

test("hex lines are frames, IP packets or bare messages", async () => {
  const pdu = encodeAdvertisement(v3Fields);
  const text = [
    "# a comment, then an empty line",
    "",
    toHex(ethernet(ipPacket(v3Fields))),
    `${toHex(ipPacket(v6Fields))} # IPv6`,
    `  0x${toHex(pdu).match(/../g)?.join(":")}\r`,
    toHex(arp),
    toHex(encodeAdvertisement(v2Fields)).toUpperCase().match(/..../g)?.join(" "),
    "32 33 64 01 00 64 00 00",
    "333300000012 00",
  ].join("\n");
  const { code, lines, errors } = await run({}, [text.slice(0, 70), text.slice(70)]);
  const answers = lines.map((line) => JSON.parse(line));
  expect([code, errors]).toEqual([0, ""]);
  expect(answers.map(({ n, valid, error }) => [n, valid, error])).toEqual([
    [1, true, undefined],
    [2, true, undefined],
    [3, true, undefined],
    [5, true, undefined],
    [6, false, "type"],
    [7, false, "ip"],
  ]);
  expect(answers[2]).toMatchObject({ family: 4, source: null, destination: null, ttl: null, checksum: "message" });
});

test("bare messages whose checksum needs addresses are verified with those given", async () => {
  const pseudo = toHex(encodeAdvertisement({ ...v3Fields, checksumForm: "pseudo_header" }));
  const v6 = toHex(encodeAdvertisement(v6Fields));
  const errorOf = async (line: string, flags: Partial<Flags>) => {
    const answer = JSON.parse((await run(flags, [line])).lines[0] ?? "{}");
    return answer.valid ? answer.checksum : answer.error;
  };
  expect(await errorOf(pseudo, {})).toBe("checksum");
  expect(await errorOf(pseudo, { source: address("192.0.2.11") })).toBe("pseudo_header");
  expect(await errorOf(pseudo, { source: address("192.0.2.12") })).toBe("checksum");
  expect(await errorOf(v6, {})).toBe("checksum");
  expect(await errorOf(v6, { source: address("fe80::11") })).toBe("pseudo_header");
  const destination = address("fe80::12");
  const unicast = toHex(encodeAdvertisement({ ...v6Fields, destination }));
  expect(await errorOf(unicast, { source: address("fe80::11"), destination })).toBe("pseudo_header");
  expect(await errorOf(toHex(encodeAdvertisement(v3Fields)), { checksum: "pseudo_header" })).toBe("checksum");
  expect(await errorOf("31 33 64 00 00 64 00 00", { checksum: "pseudo_header" })).toBe("count_zero");
});

test("dumps of tcpdump -x and -X are put together by their offsets", async () => {
  const packet = toHex(ipPacket(v3Fields)).match(/.{1,32}/g) ?? [];
  const dump = packet.map((row, i) => `\t0x00${i}0:  ${row.match(/.{1,4}/g)?.join(" ")}  E..(..@..#p`).join("\n");
  const { code, lines } = await run({}, [`${dump}\n${dump}\n${toHex(encodeAdvertisement(v2Fields))}\n${dump}`]);
  expect(code).toBe(0);
  expect(lines.map((line) => JSON.parse(line).version)).toEqual([3, 3, 2, 3]);
});

test("lines that are no hex are told by number; the others are answered; the exit code is 2", async () => {
  const good = toHex(encodeAdvertisement(v3Fields));
  const { code, lines, errors } = await run({}, [
    `${good}\nhello\n123\n${good}\n0x0020:  4500\n${"0".repeat(600_000)}\n`,
  ]);
  expect(code).toBe(2);
  expect(lines.map((line) => JSON.parse(line).n)).toEqual([1, 2]);
  expect(errors.split("\n")).toEqual([
    'viprd decode: line 2: not hex: "h"',
    "viprd decode: line 3: an odd number of hex digits",
    "viprd decode: line 5: offset 32 does not continue the line before",
    "viprd decode: line 6: longer than 524288 characters",
    "",
  ]);
});

test("a damaged file gives the packets before the damage, the reason, and exit code 2", async () => {
  const file = pcap([ethernet(ipPacket(v3Fields)), ethernet(ipPacket(v3Fields))]);
  const { code, lines, errors } = await runFile(file.subarray(0, -4));
  expect([code, lines.length]).toEqual([2, 1]);
  expect(errors).toBe("viprd decode: FILE: the file ends in the middle of a record, after packet 1\n");
});

test("a file that cannot be read, or is none, is told with exit code 2", async () => {
  const missing = await run({ pcap: join(folder, "missing") });
  expect([missing.code, missing.errors]).toEqual([
    2,
    `viprd decode: cannot read ${join(folder, "missing")}: no such file or directory (ENOENT)\n`,
  ]);
  expect(await runFile(hex(""))).toEqual({ code: 2, lines: [], errors: "viprd decode: FILE: the file is empty\n" });
});

test("a link type that is not known is told once, with exit code 2", async () => {
  const { code, lines, errors } = await runFile(pcap([arp, arp], { linkType: 105 }));
  expect([code, lines]).toEqual([2, []]);
  expect(errors).toBe("viprd decode: FILE: packets of link type 105 cannot be read\n");
});

test("a packet the capture has cut short is said to be so", async () => {
  const { code, lines, errors } = await runFile(pcap([ethernet(ipPacket(v3Fields))], { snapLength: 40 }));
  expect([code, JSON.parse(lines[0] ?? "{}").error]).toEqual([0, "ip"]);
  expect(errors).toBe("viprd decode: FILE: packet 1: only 40 of its 46 bytes were captured\n");
});

test("--pcap - reads the capture from standard input", async () => {
  const { code, lines } = await run({ pcap: "-" }, [pcap([ethernet(ipPacket(v3Fields))])]);
  expect([code, lines.length]).toEqual([0, 1]);
});

test("the command line is checked", async () => {
  const parse = async (...words: string[]) => {
    const command = decodeCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    return command.parseAsync(words, { from: "user" });
  };
  await expect(parse("--vrrp-version", "4")).rejects.toMatchObject({ code: "commander.invalidArgument" });
  await expect(parse("--checksum", "none")).rejects.toMatchObject({ code: "commander.invalidArgument" });
  await expect(parse("--source", "192.0.2.300")).rejects.toMatchObject({ code: "commander.invalidArgument" });
  await expect(parse("--source", "192.0.2.1", "--destination", "ff02::12")).rejects.toMatchObject({ exitCode: 2 });
  await expect(parse("stray")).rejects.toMatchObject({ code: "commander.excessArguments" });
});
