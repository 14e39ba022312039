import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

/** A merchant's host led to an address inside a network, which could be ours: no connection was made. */
export class AddressNotPublic extends Error {
  readonly code = "ADDRESS_NOT_PUBLIC";

  constructor() {
    super("the address is not a public one");
    this.name = "AddressNotPublic";
  }
}

/**
 * Whether an address lies in the public internet. Loopback, private, link-local (the clouds' metadata services), shared,
 * multicast, documentation and translated ranges are not; IPv4 inside IPv6 counts as the IPv4 address.
 */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "unicast";
}

type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A resolver for `net.connect` that fails when any address of the name is not public. It checks the very answer that the
 * socket then connects to, so a name that changes its address between check and connection gains nothing.
 */
export function publicLookup(resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) {
        done(error ?? new AddressNotPublic(), "", 0);
      } else if (!addresses.every(({ address }) => isPublicAddress(address))) {
        done(new AddressNotPublic(), "", 0);
      } else if (options.all === true) {
        done(null, addresses);
      } else {
        done(null, first.address, first.family);
      }
    });
  };
}
