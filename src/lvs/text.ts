/** Services, servers and operations in the words of the status, the log and errors. */
import type { Family } from "../wire/address.ts";
import type { ServiceAddress } from "./parameters.ts";
import type { KernelSyncDaemon, Operation } from "./table.ts";

/** "192.0.2.21:443", "[2001:db8::21]:443"; without a port of its own, the address alone. */
export function serverText(family: Family, address: string, port: number): string {
  if (port === 0) return address;
  return family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}

/** "tcp 192.0.2.10:443", "fwmark 7 ipv4"; all ports are port 0. */
export function serviceText(service: ServiceAddress): string {
  if (service.kind === "mark") return `fwmark ${service.mark} ipv${service.family}`;
  const { protocol, family, address, port } = service;
  return `${protocol} ${family === 4 ? address : `[${address}]`}:${port}`;
}

/** "add server 192.0.2.21:80 to tcp 192.0.2.10:80" */
export function operationText(operation: Operation): string {
  const service = serviceText(operation.service);
  switch (operation.type) {
    case "add-service":
      return `add ${service}`;
    case "edit-service":
      return `change ${service}`;
    case "delete-service":
      return `delete ${service}`;
    case "add-destination":
    case "edit-destination": {
      const { family, address, port } = operation.settings;
      const server = serverText(family, address, port);
      return operation.type === "add-destination"
        ? `add server ${server} to ${service}`
        : `change server ${server} of ${service}`;
    }
    case "delete-destination": {
      const { family, address, port } = operation;
      return `delete server ${serverText(family, address, port)} from ${service}`;
    }
  }
}

/** "start the sync master on eth1" */
export function syncDaemonText({ role, parameters }: KernelSyncDaemon): string {
  return `sync ${role} on ${parameters.interface}`;
}
