/**
 * A configuration in the words of the file, every value spelled out: what `viprd check --resolved` prints.
 * Read back it gives the same configuration, the password aside when it is masked.
 */
import type {
  FlapDamping,
  InstanceParameters,
  SyncGroupParameters,
  Track,
  VirtualAddress,
} from "../vrrp/parameters.ts";
import { scopes } from "./address-entry.ts";
import { familyOfText } from "./addresses.ts";
import { describeAuthHmac } from "./auth-hmac.ts";
import type { Config } from "./config.ts";
import { describeLvs, describeLvsGlobal, isDeclaredCheck } from "./describe-lvs.ts";
import { describeRoute, describeRule } from "./describe-routing.ts";
import { formatDuration } from "./duration.ts";
import { describeChecks } from "./health-check.ts";
import { describeNotify, type FifoParameters } from "./notify.ts";
import { describeUseVmac } from "./virtual-mac.ts";

export interface DescribeOptions {
  /** Shown instead of passwords and secrets; its length tells nothing. Without it they are shown. */
  readonly mask?: string;
}

type Described = Readonly<Record<string, unknown>>;

export function describeConfig(config: Config, options: DescribeOptions = {}): Described {
  const { statics } = config;
  const { routerId, scriptUser, scriptSecurity, process } = config.global;
  const fifo = (of: FifoParameters["of"]) => config.notify?.fifos.find((each) => each.of === of)?.path;
  const told = (kind: "instance" | "group", name: string) => {
    const subject = config.notify?.subjects.find((each) => each.kind === kind && each.name === name);
    return describeNotify(subject, options.mask);
  };
  const declared = config.checks.filter(isDeclaredCheck);
  return present({
    global: present({
      router_id: routerId,
      script_user: scriptUser,
      script_security: scriptSecurity,
      notify_fifo: fifo("all"),
      vrrp_notify_fifo: fifo("vrrp"),
      lvs_notify_fifo: fifo("lvs"),
      vrrp_rt_priority: process.realtimePriority,
      vrrp_priority: process.nice,
      vrrp_no_swap: process.lockMemory,
      ...describeLvsGlobal(config.lvs),
    }),
    vrrp_instance: Object.fromEntries(
      config.instances.map((instance) => {
        const { name } = instance;
        return [name, { ...describeInstance(instance, options), ...told("instance", name) }];
      }),
    ),
    vrrp_sync_group:
      config.groups === undefined
        ? undefined
        : Object.fromEntries(
            config.groups.map((group) => [group.name, { ...describeGroup(group), ...told("group", group.name) }]),
          ),
    health_check: declared.length === 0 ? undefined : describeChecks(declared, options.mask),
    ...describeLvs(config, options.mask),
    static_ipaddress: filled(statics?.addresses.map(describeAddress)),
    static_routes: filled(statics?.routes.map(describeRoute)),
    static_rules: filled(statics?.rules.map(describeRule)),
  });
}

function filled(list: readonly Described[] | undefined): readonly Described[] | undefined {
  return list?.length === 0 ? undefined : list;
}

/** Keys without effect on this instance are left out: they would be warned about when read back. */
function describeInstance(instance: InstanceParameters, { mask }: DescribeOptions): Described {
  const { announce, lease, password } = instance;
  const version3 = instance.version === 3;
  const unicast = instance.unicastPeers.length > 0;
  const sources = [instance.source4, instance.source6].filter((source) => source !== undefined);
  return present({
    interface: instance.interface,
    virtual_router_id: instance.vrid,
    version: instance.version,
    priority: instance.priority,
    advert_int: formatDuration(instance.advertisementInterval),
    preempt: instance.preempt,
    preempt_delay: instance.preempt ? formatDuration(instance.preemptDelay) : undefined,
    authentication: password === undefined ? undefined : { auth_type: "PASS", auth_pass: mask ?? password },
    auth_hmac: instance.authHmac && describeAuthHmac(instance.authHmac, mask),
    virtual_ipaddress: instance.virtualAddresses.map(describeAddress),
    virtual_ipaddress_excluded: instance.excludedAddresses.map(describeAddress),
    virtual_routes: instance.routes?.map(describeRoute),
    virtual_rules: instance.rules?.map(describeRule),
    on_removal: instance.onRemoval ?? "repair",
    [unicast ? "unicast_src_ip" : "mcast_src_ip"]: sources.length === 0 ? undefined : sources,
    unicast_peer: unicast
      ? instance.unicastPeers.map((peer) => ({ address: peer.address, min_ttl: peer.minTtl, max_ttl: peer.maxTtl }))
      : undefined,
    accept: instance.priority === 255 ? undefined : instance.accept,
    use_vmac: describeUseVmac(instance),
    vmac_xmit_base: unicast || instance.virtualMac === undefined ? undefined : instance.virtualMac.sendFromBase,
    unicast_ttl: unicast ? instance.unicastTtl : undefined,
    check_adv_addr: version3 ? undefined : instance.checkAddressList,
    v3_checksum: version3 ? instance.checksumSend : undefined,
    v3_checksum_receive: version3 ? instance.checksumReceive : undefined,
    first_link_local: version3 ? instance.firstLinkLocal : undefined,
    owner_ignore_adverts: instance.priority === 255 ? instance.ownerConflict === "discard" : undefined,
    max_learned_interval:
      instance.maxLearnedInterval === undefined ? undefined : formatDuration(instance.maxLearnedInterval),
    track: instance.track.map(describeTrack),
    flap_damping: describeDamping(instance.flapDamping),
    yield_on_lower_priority: instance.priority === 255 ? undefined : instance.yieldOnLowerPriority,
    garp_master_delay: formatDuration(announce.delay),
    garp_master_repeat: announce.repeat,
    garp_master_delay_repeat: announce.delayRepeat,
    garp_master_refresh: formatDuration(announce.refresh),
    garp_master_refresh_repeat: announce.refreshRepeat,
    garp_lower_prio_repeat: announce.lowerPriorityRepeat,
    garp_interval: formatDuration(announce.interval),
    lease: lease === undefined ? false : formatDuration(lease),
  });
}

function describeGroup({ members, track, flapDamping, memberWeights }: SyncGroupParameters): Described {
  return present({
    group: members,
    track: track.map(describeTrack),
    flap_damping: describeDamping(flapDamping),
    sync_group_tracking_weight: memberWeights,
  });
}

function describeTrack({ what, name, priority, reverse }: Track): Described {
  return present({ [what]: name, priority, reverse });
}

function describeDamping(damping: FlapDamping | undefined): Described | undefined {
  if (damping === undefined) return undefined;
  return { suppress: damping.suppress, reuse: damping.reuse, half_life: formatDuration(damping.halfLife) };
}

function describeAddress(address: VirtualAddress): Described {
  const version6 = familyOfText(address.address) === 6;
  return present({
    address: `${address.address}/${address.prefixLength}`,
    dev: address.device,
    label: address.label,
    scope: version6 ? undefined : Object.keys(scopes).find((name) => scopes[name] === address.scope),
    brd: address.broadcast,
    noprefixroute: address.noprefixroute,
    nodad: version6 ? address.nodad : undefined,
  });
}

function present(values: Described): Described {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
