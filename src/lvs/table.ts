/** The table of the kernel as the balancer sees it, and what it can have done to it. */
import type { Family } from "../wire/address.ts";
import type { Forwarding, ServiceAddress, SyncDaemonParameters, TimeoutParameters } from "./parameters.ts";

/** How a service is set up; its identity is its address. */
export interface ServiceSettings {
  /** "none" is possible when somebody else made it. */
  readonly scheduler: string;
  /** The kernel's bits 1 persistent, 4 one-packet, 8, 16, 32 of the scheduler; without its own bit 2. */
  readonly flags: number;
  /** Persistence, seconds. */
  readonly timeout: number;
  /** IPv4: the mask as a number, 0xffffffff by default. IPv6: prefix length. */
  readonly netmask: number;
  readonly engine?: string;
}

/** What can be set of a destination. */
export interface DestinationSettings {
  readonly family: Family;
  /** Text in canonical form. */
  readonly address: string;
  readonly port: number;
  readonly forwarding: Forwarding | { readonly method: "local" | "bypass" };
  readonly weight: number;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
}

/** Totals since the entry was made; rates of the last seconds. The kernel refreshes them every two seconds. */
export interface Traffic {
  readonly connections: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly connectionsPerSecond: number;
  readonly packetsInPerSecond: number;
  readonly packetsOutPerSecond: number;
  readonly bytesInPerSecond: number;
  readonly bytesOutPerSecond: number;
}

export const noTraffic: Traffic = {
  connections: 0,
  packetsIn: 0,
  packetsOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  connectionsPerSecond: 0,
  packetsInPerSecond: 0,
  packetsOutPerSecond: 0,
  bytesInPerSecond: 0,
  bytesOutPerSecond: 0,
};

export interface KernelService {
  readonly address: ServiceAddress;
  readonly settings: ServiceSettings;
  readonly traffic: Traffic;
}

export interface KernelDestination {
  readonly settings: DestinationSettings;
  readonly active: number;
  readonly inactive: number;
  readonly persistent: number;
  readonly traffic: Traffic;
}

export type Operation =
  | {
      readonly type: "add-service" | "edit-service";
      readonly service: ServiceAddress;
      readonly settings: ServiceSettings;
    }
  | { readonly type: "delete-service"; readonly service: ServiceAddress }
  | {
      readonly type: "add-destination" | "edit-destination";
      readonly service: ServiceAddress;
      readonly settings: DestinationSettings;
    }
  | {
      readonly type: "delete-destination";
      readonly service: ServiceAddress;
      readonly family: Family;
      readonly address: string;
      readonly port: number;
    };

/** Why an operation was refused; undefined when it was done. */
export type OperationResult = { readonly errno: number; readonly message: string } | undefined;

export type SyncRole = "master" | "backup";

export interface KernelSyncDaemon {
  readonly role: SyncRole;
  readonly parameters: Omit<SyncDaemonParameters, "instance">;
}

/** What the kernel says of its IPVS. */
export interface KernelInfo {
  /** "1.2.1" */
  readonly version: string;
  /** Buckets of the connection table. */
  readonly connectionTableSize: number;
}

/** What the balancer needs of the kernel. Every promise rejects with an error that names operation and object. */
export interface IpvsPort {
  services(): Promise<KernelService[]>;
  /** None for a service that is not there. One dump is evidence only: it may miss or repeat entries when it races a change. */
  destinations(service: ServiceAddress): Promise<KernelDestination[]>;
  /** In this order; a refused one does not stop those behind it. A result for each. */
  apply(operations: readonly Operation[]): Promise<OperationResult[]>;
  /** Changes when a service, a destination, a weight or a method changes; connections coming and going do not matter. */
  fingerprint(): Promise<string>;
  info(): Promise<KernelInfo>;
  timeouts(): Promise<Required<TimeoutParameters>>;
  setTimeouts(timeouts: TimeoutParameters): Promise<void>;
  syncDaemons(): Promise<KernelSyncDaemon[]>;
  startSyncDaemon(daemon: KernelSyncDaemon): Promise<void>;
  stopSyncDaemon(role: SyncRole): Promise<void>;
  close(): void;
}
