/** What is different in an advertisement that was accepted all the same: counted, and told once until it changes. */
import { type Family, formatAddress, type IpAddress } from "../wire/address.ts";
import { addressesOf } from "./advertisement.ts";
import type { Authenticator } from "./authenticator.ts";
import type { MutableCounters } from "./counters.ts";
import type { Milliseconds } from "./parameters.ts";
import { formatDuration } from "./reasons.ts";
import type { Accepted } from "./reception.ts";
import type { Warnings } from "./warnings.ts";

const shownAddresses = 3;

export interface Own {
  readonly family: Family;
  readonly interval: Milliseconds;
  readonly authenticator: Authenticator | undefined;
  readonly counters: MutableCounters;
  readonly warnings: Warnings;
}

export function noteDifferences(accepted: Accepted, source: IpAddress, own: Own): void {
  const { advertisement } = accepted;
  const { counters, warnings, authenticator } = own;
  if (accepted.intervalDiffers) {
    counters.interval_errors++;
    const theirs = formatDuration(advertisement.interval);
    const ours = formatDuration(own.interval);
    warnings.ofDifference("interval", `${formatAddress(source)} advertises each ${theirs}, this node each ${ours}`);
  }
  if (accepted.addressListDiffers) {
    counters.address_list_errors++;
    const theirs = addressesOf(advertisement, own.family).slice(0, shownAddresses).map(formatAddress).join(", ");
    const more = advertisement.count > shownAddresses ? " …" : "";
    warnings.ofDifference(
      "addresses",
      `${formatAddress(source)} advertises other addresses than this node: ${theirs}${more}`,
    );
  }
  if (authenticator !== undefined && advertisement.trailer === undefined) {
    const why = `accepted, because auth_hmac is in mode ${authenticator.mode} here`;
    warnings.ofDifference("unsigned", `${formatAddress(source)} does not sign its advertisements: ${why}`);
  }
}
