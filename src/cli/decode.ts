/**
 * `viprd decode`: what the VRRP packets of a capture say, and why a receiver would discard them.
 * Answers go to standard output, one line a packet; everything about the input itself goes to standard error.
 */
import { createReadStream } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { whyNot } from "../config/read-failure.ts";
import type { Key } from "../vrrp/hmac-trailer.ts";
import { type IpAddress, parseAddress } from "../wire/address.ts";
import { readUint8, readUint16 } from "../wire/bytes.ts";
import { ETH_P_8021AD, ETH_P_8021Q, ETH_P_ARP, ETH_P_IP, ETH_P_IPV6, ETH_P_QINQ1 } from "../wire/ethernet.ts";
import { decodeIpv4, decodeIpv6 } from "../wire/ip.ts";
import { LINKTYPE_ETHERNET } from "../wire/link-layer.ts";
import { CaptureReader, isCapture } from "../wire/pcap.ts";
import { readKeys } from "./decode-keys.ts";
import { type Answer, type Judgement, judgeBareMessage, judgeFrame, judgePacket } from "./decode-packet.ts";
import { jsonLine, textLine, timedJsonLine } from "./decode-render.ts";
import { ExitCode } from "./exit-code.ts";
import { HexLineReader } from "./hex-lines.ts";
import { LineWriter } from "./line-writer.ts";

interface Flags {
  readonly json?: true;
  readonly time?: true;
  readonly pcap?: string;
  readonly vrrpVersion: "2" | "3" | "any";
  readonly checksum: Judgement["checksum"];
  readonly firstLinkLocal: Judgement["firstLinkLocal"];
  readonly source?: IpAddress;
  readonly destination?: IpAddress;
  readonly hmacKey?: readonly string[];
  readonly keys?: readonly Key[];
}

export function decodeCommand(): Command {
  return new Command("decode")
    .summary("explain captured VRRP packets")
    .description(
      "Explains VRRP packets from a capture file (pcap or pcapng), or from hex lines on standard input: one packet a " +
        "line, an Ethernet frame, an IP packet, or a VRRP message alone (it starts with 21 or 31).",
    )
    .option("--json", "one JSON object a line")
    .option("--time", "in JSON too, when each packet of a capture was captured")
    .option("--pcap <file>", "read a capture file; - is standard input")
    .addOption(new Option("--vrrp-version <version>", "accept").choices(["2", "3", "any"]).default("any"))
    .addOption(
      new Option("--checksum <form>", "accept, for version 3 over IPv4")
        .choices(["either", "message", "pseudo_header"])
        .default("either"),
    )
    .addOption(
      new Option("--first-link-local <mode>", "whether the first IPv6 address has to be link-local")
        .choices(["strict", "lenient"])
        .default("strict"),
    )
    .option(
      "--hmac-key <id:key>",
      "verify signatures, and refuse what is not signed; the key as in the configuration: hex:DIGITS, text:TEXT or " +
        "better file:PATH, which other users of the host do not see; more than once for several keys",
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option("--source <address>", "IP source of messages that come without IP header", address)
    .option("--destination <address>", "IP destination of such messages (default: the VRRP group)", address)
    .action(async (flags: Flags, command: Command) => {
      if (flags.source && flags.destination && flags.source.length !== flags.destination.length) {
        command.error("error: --source and --destination are of different families", { exitCode: ExitCode.usage });
      }
      const keys = flags.hmacKey === undefined ? undefined : readKeys(flags.hmacKey);
      if (typeof keys === "string") command.error(`error: --hmac-key: ${keys}`, { exitCode: ExitCode.usage });
      process.exitCode = await decode(
        { ...flags, ...(keys === undefined ? {} : { keys }) },
        process.stdin,
        process.stdout,
        process.stderr,
      );
    });
}

function address(text: string): IpAddress {
  const bytes = parseAddress(text);
  if (bytes === undefined) throw new InvalidArgumentError("expected an IPv4 or IPv6 address.");
  return bytes;
}

type Writable = NodeJS.WritableStream;

/** Returns the exit code: 0 when the whole input could be read, whatever the packets were worth. */
export async function decode(
  flags: Flags,
  input: AsyncIterable<Uint8Array | string>,
  output: Writable,
  errors: Writable,
): Promise<number> {
  const how: Judgement = {
    version: flags.vrrpVersion === "any" ? "any" : flags.vrrpVersion === "2" ? 2 : 3,
    checksum: flags.checksum,
    firstLinkLocal: flags.firstLinkLocal,
    source: flags.source,
    destination: flags.destination,
    ...(flags.keys === undefined ? {} : { keys: flags.keys }),
  };
  const writer = new LineWriter(output);
  const format = flags.json !== true ? textLine : flags.time === true ? timedJsonLine : jsonLine;
  const report: Report = {
    answer: (n, answer, at) => writer.write(format(n, answer, at)),
    flush: () => writer.flush(),
    complain: (text) => void errors.write(`viprd decode: ${text}\n`),
    stopped: () => writer.closed,
  };
  const code =
    flags.pcap === undefined
      ? await decodeLines(input, how, report)
      : await decodeCapture(flags.pcap, flags.pcap === "-" ? input : createReadStream(flags.pcap), how, report);
  const failure = await writer.end();
  if (failure === undefined) return code;
  report.complain(`cannot write the answers: ${whyNot(failure)}`);
  return ExitCode.usage;
}

interface Report {
  answer(n: number, answer: Answer, at: bigint | undefined): Promise<void> | undefined;
  /** Before more input is waited for. */
  flush(): Promise<void> | undefined;
  complain(text: string): void;
  /** Nobody reads the answers any more. */
  stopped(): boolean;
}

async function decodeCapture(
  file: string,
  chunks: AsyncIterable<Uint8Array | string>,
  how: Judgement,
  report: Report,
): Promise<number> {
  const name = file === "-" ? "standard input" : file;
  const reader = new CaptureReader();
  const unsupported = new Set<number>();
  let n = 0;
  try {
    for await (const chunk of chunks) {
      for (const { linkType, bytes, length, at } of reader.push(toBytes(chunk))) {
        n++;
        const answer = judgeFrame(linkType, bytes, how);
        if (answer === "unsupported") unsupported.add(linkType);
        if (typeof answer === "string") continue;
        if (!answer.valid && bytes.length < length) {
          report.complain(`${name}: packet ${n}: only ${bytes.length} of its ${length} bytes were captured`);
        }
        await report.answer(n, answer, at);
        if (report.stopped()) return ExitCode.done;
      }
      await report.flush();
      if (reader.problem !== undefined) break;
    }
  } catch (error) {
    report.complain(`cannot read ${name}: ${whyNot(error)}`);
    return ExitCode.usage;
  }
  const problem = reader.finish();
  if (problem !== undefined) report.complain(`${name}: ${problem}`);
  for (const linkType of unsupported) report.complain(`${name}: packets of link type ${linkType} cannot be read`);
  return problem !== undefined || unsupported.size > 0 ? ExitCode.usage : ExitCode.done;
}

async function decodeLines(
  chunks: AsyncIterable<Uint8Array | string>,
  how: Judgement,
  report: Report,
): Promise<number> {
  const reader = new HexLineReader();
  const text = new TextDecoder();
  let n = 0;
  let code: number = ExitCode.done;
  const take = async (items: ReturnType<HexLineReader["push"]>) => {
    for (const item of items) {
      if ("problem" in item) {
        report.complain(`line ${item.line}: ${item.problem}`);
        code = ExitCode.usage;
        continue;
      }
      const answer = judgeHex(item.bytes, how);
      n++;
      if (typeof answer !== "string") await report.answer(n, answer, undefined);
      if (report.stopped()) return;
    }
  };
  try {
    for await (const chunk of chunks) {
      if (n === 0 && isCapture(toBytes(chunk))) {
        report.complain("this is a capture file, no hex: read it with --pcap FILE, or with --pcap - from here");
        return ExitCode.usage;
      }
      await take(reader.push(typeof chunk === "string" ? chunk : text.decode(chunk, { stream: true })));
      await report.flush();
      if (report.stopped()) return ExitCode.done;
    }
  } catch (error) {
    report.complain(`cannot read standard input: ${whyNot(error)}`);
    return ExitCode.usage;
  }
  await take(reader.finish());
  return code;
}

const frameTypes: ReadonlySet<number> = new Set([
  ETH_P_IP,
  ETH_P_IPV6,
  ETH_P_ARP,
  ETH_P_8021Q,
  ETH_P_8021AD,
  ETH_P_QINQ1,
]);

/**
 * A hex line does not say what it holds. A consistent IP packet is one. What has a known EtherType in its place is a
 * frame, unless it starts as a VRRP message does. The rest is told apart by its first digit: 2 and 3 are the versions
 * of VRRP, 4 and 6 those of IP, and everything else may be a MAC address.
 */
function judgeHex(bytes: Uint8Array, how: Judgement): Answer | "other" | "unsupported" {
  const first = readUint8(bytes, 0);
  if (first === 0x21 || first === 0x31) return judgeBareMessage(bytes, how);
  if (decodeIpv4(bytes) !== undefined || decodeIpv6(bytes) !== undefined) return judgePacket(bytes, undefined, how);
  const isFrame = frameTypes.has(readUint16(bytes, 12)) || readUint16(bytes, 0) === 0x3333;
  const version = first >> 4;
  if (!isFrame && (version === 2 || version === 3)) return judgeBareMessage(bytes, how);
  if (!isFrame && (version === 4 || version === 6)) return judgePacket(bytes, undefined, how);
  return judgeFrame(LINKTYPE_ETHERNET, bytes, how);
}

function toBytes(chunk: Uint8Array | string): Uint8Array {
  return typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
}
