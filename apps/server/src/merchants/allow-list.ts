import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { ok, type Result, refused } from "#kernel/index.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

interface AddressRange {
  readonly network: Address;
  readonly bits: number;
  readonly isSingle: boolean;
}

interface CompiledList {
  readonly singles: ReadonlySet<string>;
  readonly ranges: readonly AddressRange[];
}

export const allowListEntriesMax = 200;
/** `ffff:…:255.255.255.255/128` */
export const allowListEntryCharactersMax = 50;

/** Lists of the credentials used last; at 200 entries each about 40 MB in the worst case, a few KB usually. */
const compiledListsMax = 1000;
const compiledLists = new Map<string, CompiledList>();

/**
 * The entries as they are stored: addresses and CIDR ranges in their canonical form, host bits cleared, `::ffff:` addresses as
 * the IPv4 ones they stand for, repeats left out. An empty list lets nobody in; `0.0.0.0/0` and `::/0` let everybody in.
 */
export function parseAllowList(entries: readonly string[]): Result<string[], "allow_list_invalid"> {
  if (entries.length > allowListEntriesMax) return refused("allow_list_invalid");
  const texts = new Set<string>();
  for (const entry of entries) {
    const range = parseEntry(entry);
    if (range === null) return refused("allow_list_invalid");
    texts.add(range.isSingle ? range.network.toString() : `${range.network.toString()}/${range.bits}`);
  }
  return ok([...texts]);
}

/**
 * Whether a caller's address is in an allow-list (contract section 1, 1003). `::ffff:` is taken off first; a text that is no
 * address is in no list.
 */
export function ipAllowed(allowList: readonly string[], address: string): boolean {
  if (allowList.length === 0) return false;
  const caller = parseCaller(address);
  if (caller === null) return false;
  const list = compiledList(allowList);
  return list.singles.has(caller.toString()) || list.ranges.some((range) => contains(range, caller));
}

/** Link-local callers come with the name of the interface (`fe80::1%eth0`), which says nothing about who they are. */
function parseCaller(address: string): Address | null {
  const [bare = ""] = address.split("%", 1);
  return isIP(bare) === 0 ? null : ipaddr.process(bare);
}

/** `isIP` decides what an address is: ipaddr.js alone would also take `127.1`, `0x7f.1` and a plain number. */
function parseEntry(entry: string): AddressRange | null {
  if (entry.length > allowListEntryCharactersMax) return null;
  const [address = "", prefix, ...rest] = entry.split("/");
  const version = address.includes("%") ? 0 : isIP(address);
  if (version === 0 || rest.length > 0) return null;
  const widthBits = version === 4 ? 32 : 128;
  const bits = prefix === undefined ? widthBits : parseBits(prefix, widthBits);
  return bits === null ? null : rangeOf(ipaddr.parse(address), bits);
}

function parseBits(text: string, widthBits: number): number | null {
  const bits = /^(?:0|[1-9][0-9]{0,2})$/u.test(text) ? Number(text) : Number.NaN;
  return bits <= widthBits ? bits : null;
}

/** A mapped range wider than all of IPv4 has no IPv4 counterpart and could never match, because callers are mapped first. */
function rangeOf(address: Address, bits: number): AddressRange | null {
  if (address instanceof ipaddr.IPv4) {
    return {
      network: ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/${bits}`),
      bits,
      isSingle: bits === 32,
    };
  }
  if (address.isIPv4MappedAddress()) return bits < 96 ? null : rangeOf(address.toIPv4Address(), bits - 96);
  return { network: ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${bits}`), bits, isSingle: bits === 128 };
}

function contains(range: AddressRange, caller: Address): boolean {
  if (caller instanceof ipaddr.IPv4) {
    return range.network instanceof ipaddr.IPv4 && caller.match(range.network, range.bits);
  }
  return range.network instanceof ipaddr.IPv6 && caller.match(range.network, range.bits);
}

/** Every request looks into a list, so it is parsed once and not each time. */
function compiledList(allowList: readonly string[]): CompiledList {
  const key = allowList.join(" ");
  const known = compiledLists.get(key);
  if (known !== undefined) return known;
  const ranges = allowList.map(parseEntry).filter((range) => range !== null);
  const compiled: CompiledList = {
    singles: new Set(ranges.filter((range) => range.isSingle).map((range) => range.network.toString())),
    ranges: ranges.filter((range) => !range.isSingle),
  };
  const oldest = compiledLists.size >= compiledListsMax ? compiledLists.keys().next() : undefined;
  if (oldest?.done === false) compiledLists.delete(oldest.value);
  compiledLists.set(key, compiled);
  return compiled;
}
