import { isIP, isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * Whom an address's calls are counted for (1009): an IPv4 address by itself, an IPv6 one by its /64, because that is what one
 * customer is given and can change within at will. `::ffff:` addresses are the IPv4 ones they stand for.
 */
export function addressGroup(address: string): string {
  const [bare = ""] = address.split("%", 1);
  if (isIPv4(bare)) {
    return bare;
  }
  if (isIP(bare) === 0) {
    return "no address";
  }
  const parsed = ipaddr.process(bare);
  return parsed instanceof ipaddr.IPv6
    ? parsed.parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(":")
    : parsed.toString();
}
