import { CardwrightError } from "../errors.ts";
import type { CallOptions } from "../options.ts";
import { type PageList, type Paging, pageList } from "../pages.ts";
import type { Repeatable } from "../retry.ts";
import type { Transport } from "../transport.ts";

export const openApi = "/open-api/v1";
export const developerApi = "/developer/v1";

/** A GET, which may always come again. */
export function read<Data>(transport: Transport, path: string, options: CallOptions | undefined): Promise<Data> {
  return transport.call({ method: "GET", path, repeatable: "safe" }, options);
}

/**
 * A POST that changes something: `safe` where the same call again does nothing new (its unique number is an idempotency key),
 * else `when_refused`.
 */
export function write<Data>(
  transport: Transport,
  call: { readonly path: string; readonly body: object; readonly repeatable: Repeatable },
  options: CallOptions | undefined,
): Promise<Data> {
  return transport.call({ method: "POST", ...call }, options);
}

/** A POST that lists: a read, page by page. */
export function list<Item>(
  transport: Transport,
  { path, params, keyOf }: { readonly path: string; readonly params: Paging; readonly keyOf: (item: Item) => string },
  options: CallOptions | undefined,
): PageList<Item> {
  return pageList(
    params,
    (paging) => transport.call({ method: "POST", path, body: { ...params, ...paging }, repeatable: "safe" }, options),
    keyOf,
  );
}

/** A number as one segment of a path. An empty one or dots would make another path of it. */
export function segment(name: string, number: string): string {
  if (typeof number !== "string" || /^\.{0,2}$/u.test(number)) throw new CardwrightError(`${name} is needed`);
  return encodeURIComponent(number);
}
