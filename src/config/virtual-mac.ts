/** `use_vmac`: the devices that have the virtual router MAC address, their names, and which addresses go onto them. */
import { z } from "zod";
import type { InstanceParameters, VirtualMacParameters } from "../vrrp/parameters.ts";
import type { Family } from "../wire/address.ts";
import type { LooseInstance } from "./instance.ts";
import { expected, interfaceName } from "./kinds.ts";
import { formatPlace, type Path } from "./problem.ts";
import type { Report } from "./report.ts";

const rule = "true, false or a name for the device";
const longestName = 15;

export function virtualMacKind() {
  const name = interfaceName();
  return z
    .unknown()
    .transform((input, context): boolean | string => {
      if (typeof input === "boolean") return input;
      const word = String(input).toLowerCase();
      if (["yes", "on", "y", "1"].includes(word)) return refuse("write true");
      if (["no", "off", "n", "0", "none"].includes(word)) return refuse("write false");
      if (typeof input !== "string") return refuse();
      const result = name.safeParse(input);
      if (result.success) return result.data;
      // keepalived: use_vmac NAME MAC …
      if (/\s/.test(input)) return refuse("a name alone; the MAC address is the one of RFC 9568 section 7.3");
      context.issues.push({ code: "custom", input, message: result.error.issues[0]?.message ?? expected(rule, input) });
      return z.NEVER;

      function refuse(advice?: string): never {
        context.issues.push({ code: "custom", input, message: expected(rule, input, advice) });
        return z.NEVER;
      }
    })
    .meta({ anyOf: [{ type: "boolean" }, { type: "string", minLength: 1 }], "x-bounds": rule });
}

export interface MacDeviceNames {
  readonly device4?: string;
  readonly device6?: string;
}

/** keepalived's names: vrrp.51 and vrrp6.51. A name of one's own is the IPv6 device's with a 6 when there are two. */
export function macDeviceNames(values: LooseInstance, families: readonly Family[]): MacDeviceNames | undefined {
  const { use_vmac: given, virtual_router_id: vrid } = values;
  if (given === undefined || given === false || vrid === undefined) return undefined;
  const own = given === true ? undefined : given;
  return {
    ...(families.includes(4) ? { device4: own ?? `vrrp.${vrid}` } : {}),
    ...(families.includes(6)
      ? { device6: own === undefined ? `vrrp6.${vrid}` : own + (families.length > 1 ? "6" : "") }
      : {}),
  };
}

export function resolveVirtualMac(
  values: LooseInstance,
  devices: MacDeviceNames | undefined,
  path: Path,
  report: Report,
): VirtualMacParameters | undefined {
  const sendFromBase = values.vmac_xmit_base ?? false;
  if (devices === undefined) {
    if (sendFromBase) report.error([...path, "vmac_xmit_base"], "needs use_vmac: true");
    return undefined;
  }
  const at = [...path, "use_vmac"];
  for (const name of Object.values(devices)) {
    if (new TextEncoder().encode(name).length > longestName) {
      report.error(
        at,
        `${name}, the device of the IPv6 router, is longer than ${longestName} characters: write a shorter name`,
      );
    }
    if (name === values.interface) report.error(at, `${name} is the interface itself: write true, or another name`);
  }
  if (sendFromBase && (values.unicast_peer?.length ?? 0) > 0) {
    report.warn(
      [...path, "vmac_xmit_base"],
      "has no effect with unicast_peer: unicast always leaves from the interface",
    );
  }
  return { ...devices, sendFromBase };
}

/** What `use_vmac` has to be for these devices. */
export function describeUseVmac(instance: InstanceParameters): boolean | string {
  const { device4, device6 } = instance.virtualMac ?? {};
  const first = device4 ?? device6;
  if (first === undefined) return false;
  return first === (device4 === undefined ? `vrrp6.${instance.vrid}` : `vrrp.${instance.vrid}`) ? true : first;
}

/** A device has one name on a host, and belongs to one instance. */
export function checkDeviceNames(instances: readonly InstanceParameters[], report: Report): void {
  const first = new Map<string, string>();
  const interfaces = new Map(instances.map((instance) => [instance.interface, instance.name]));
  for (const { name, virtualMac, interface: interfaceOf } of instances) {
    const at: Path = ["vrrp_instance", name, "use_vmac"];
    for (const device of [virtualMac?.device4, virtualMac?.device6]) {
      if (device === undefined) continue;
      const earlier = first.get(device);
      if (earlier === undefined) first.set(device, name);
      else {
        const place = formatPlace(report.placeOf(["vrrp_instance", earlier, "use_vmac"]));
        report.error(at, `${device} is already the device of ${earlier} (${place}): write a name instead of true`);
      }
      const user = interfaces.get(device);
      if (user !== undefined && user !== name && device !== interfaceOf) {
        report.error(at, `${device} is the interface of ${user}: write another name`);
      }
    }
  }
}
