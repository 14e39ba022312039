import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

/** A merchant's host led to an address inside a network, which could be ours: no connection was made. */
export class AddressNotPublic extends Error {
  readonly code = "ADDRESS_NOT_PUBLIC";

  constructor() {
    super("the address is not a public one");
    this.name = "AddressNotPublic";
  }
}

/** All that IANA has given to the public internet. ipaddr.js calls what it does not know "unicast", also outside of it. */
const globalUnicast = ipaddr.IPv6.parseCIDR("2000::/3");

/**
 * Whether an address lies in the public internet. Loopback, private, link-local (the clouds' metadata services), shared,
 * multicast and documentation ranges are not, nor are those that carry an IPv4 address which somebody would translate (NAT64,
 * 6to4, Teredo, IPv4-compatible); IPv4 mapped into IPv6 counts as the IPv4 address, since the system connects to that.
 */
export function isPublicAddress(address: string): boolean {
  // One with a zone ("%eth0") names an interface of ours.
  if (isIP(address) === 0 || address.includes("%")) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== "unicast") return false;
  return parsed.kind() === "ipv4" || parsed.match(globalUnicast);
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
