/** One configuration, said to each of the programs that are compared. */
import type { Farm } from "./farm.ts";
import { server, vip } from "./farm.ts";

export interface Wanted {
  readonly scheduler: "rr" | "wrr" | "wlc";
  /** By index: 1 is rs1. */
  readonly weights: Readonly<Record<number, number>>;
  /** Connections above which a server gets none. */
  readonly threshold?: number;
  /** The index of the server that stands in when there is none. */
  readonly sorry: number;
}

/** A program under comparison, running in the director's namespace. */
export interface Balancer {
  reload(wanted: Wanted): void;
  kill9All(): Promise<unknown>;
  term(): Promise<unknown>;
}

export const programs = ["viprd", "keepalived", "ldirectord"] as const;
export type Program = (typeof programs)[number];

/** Started and at work. */
export async function startBalancer(farm: Farm, program: Program, wanted: Wanted): Promise<Balancer> {
  switch (program) {
    case "viprd": {
      const daemon = farm.viprd(viprdFile(wanted));
      await daemon.child.waitLine((line) => line.includes('"message":"ready"'), 100_000);
      return wrap(daemon, viprdFile);
    }
    case "keepalived": {
      const daemon = farm.keepalived(keepalivedFile(wanted));
      await daemon.child.waitLine((line) => line.includes("Startup complete"), 100_000);
      return wrap(daemon, keepalivedFile);
    }
    case "ldirectord": {
      const daemon = farm.ldirectord(ldirectordFile(wanted));
      await daemon.child.waitLine((line) => line.includes("Checking"), 100_000);
      return wrap(daemon, ldirectordFile);
    }
  }
}

interface Daemon {
  reload(text: string): void;
  kill9All(): Promise<unknown>;
  term(): Promise<unknown>;
}

function wrap(daemon: Daemon, file: (wanted: Wanted) => string): Balancer {
  return {
    reload: (wanted) => daemon.reload(file(wanted)),
    kill9All: () => daemon.kill9All(),
    term: () => daemon.term(),
  };
}

function entries(wanted: Wanted): readonly { readonly address: string; readonly weight: number }[] {
  return Object.entries(wanted.weights).map(([index, weight]) => ({ address: server(Number(index)), weight }));
}

function viprdFile(wanted: Wanted): string {
  const limit = wanted.threshold === undefined ? "" : `, uthreshold: ${wanted.threshold}`;
  const servers = entries(wanted).map(
    ({ address, weight }) => `      - { address: ${address}, port: 8080, weight: ${weight}${limit} }`,
  );
  return [
    "virtual_server:",
    "  web:",
    `    address: ${vip}`,
    "    port: 80",
    `    lvs_sched: ${wanted.scheduler}`,
    "    lvs_method: nat",
    "    check: { type: tcp, interval: 1s, timeout: 900ms, rise: 1, fall: 2 }",
    "    real_server:",
    ...servers,
    `    sorry_server: { address: ${server(wanted.sorry)}, port: 8080 }`,
    "",
  ].join("\n");
}

function keepalivedFile(wanted: Wanted): string {
  const limit = wanted.threshold === undefined ? "" : `uthreshold ${wanted.threshold}`;
  const check = "TCP_CHECK {\n connect_timeout 1\n retry 1\n delay_before_retry 1\n }";
  const servers = entries(wanted).map(
    ({ address, weight }) => `real_server ${address} 8080 {\n weight ${weight}\n ${limit}\n ${check}\n }`,
  );
  return [
    `virtual_server ${vip} 80 {`,
    " delay_loop 1",
    ` lvs_sched ${wanted.scheduler}`,
    " lvs_method NAT",
    " protocol TCP",
    ` sorry_server ${server(wanted.sorry)} 8080`,
    ...servers,
    "}",
    "",
  ].join("\n");
}

function ldirectordFile(wanted: Wanted): string {
  const limit = wanted.threshold === undefined ? "" : ` u:${wanted.threshold}`;
  const servers = entries(wanted).map(({ address, weight }) => `        real=${address}:8080 masq ${weight}${limit}`);
  return [
    "checktimeout=1",
    "checkinterval=1",
    "failurecount=2",
    `virtual=${vip}:80`,
    ...servers,
    `        fallback=${server(wanted.sorry)}:8080 masq`,
    "        checktype=connect",
    "        protocol=tcp",
    `        scheduler=${wanted.scheduler}`,
    "",
  ].join("\n");
}
