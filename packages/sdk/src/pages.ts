import { CardwrightError } from "./errors.ts";
import { within } from "./options.ts";

/** One page of a list. */
export interface Page<Item> {
  readonly list: readonly Item[];
  /** From zero. */
  readonly page: number;
  /** Rows that were asked for. */
  readonly size: number;
  /** Whether the page is full, so that another may follow. */
  readonly hasMore: boolean;
}

/**
 * A list that is fetched when it is looked at: `await` it for one page, or walk through all of it with `for await`.
 *
 * A walk asks for pages of 100 rows unless `size` says otherwise, ends at the first page that is not full, and throws a
 * `CardwrightError` where the list is longer than `pagesMax` pages. What is added at the head of the list meanwhile moves
 * rows to the next page: a row that was on the page before is not given twice.
 */
export interface PageList<Item> extends PromiseLike<Page<Item>>, AsyncIterable<Item> {
  /** Page by page. */
  pages(options?: WalkOptions): AsyncIterable<Page<Item>>;
  /** All of it, in memory. */
  all(options?: WalkOptions): Promise<Item[]>;
}

export interface WalkOptions {
  /** From 1 to 1,000,000; 1,000 unless told, which is 100,000 rows of full pages. */
  readonly pagesMax?: number | undefined;
}

export interface Paging {
  readonly page?: number | undefined;
  readonly size?: number | undefined;
}

const sizeOfWalk = 100;
const sizeDefault = 10;
const pagesMaxDefault = 1_000;
const pagesLimit = 1_000_000;

/** `keyOf`: what tells two rows apart. */
export function pageList<Item>(
  paging: Paging,
  fetchPage: (paging: { readonly page: number; readonly size: number }) => Promise<{ readonly list: readonly Item[] }>,
  keyOf: (item: Item) => string,
): PageList<Item> {
  const pageOf = async (page: number, size: number): Promise<Page<Item>> => {
    const { list } = await fetchPage({ page, size });
    return { list, page, size, hasMore: list.length >= size };
  };
  const pages = (options: WalkOptions = {}): AsyncIterable<Page<Item>> =>
    walk(pageOf, {
      first: paging.page ?? 0,
      size: paging.size ?? sizeOfWalk,
      pagesMax: within("pagesMax", options.pagesMax ?? pagesMaxDefault, { min: 1, max: pagesLimit }),
      keyOf,
    });
  const items = (options?: WalkOptions): AsyncGenerator<Item> => itemsOf(pages(options));
  // One request, however often it is awaited.
  let single: Promise<Page<Item>> | undefined;
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- A list may be awaited for its page.
    then: (onPage, onError) => {
      single ??= pageOf(paging.page ?? 0, paging.size ?? sizeDefault);
      return single.then(onPage, onError);
    },
    [Symbol.asyncIterator]: () => items(),
    pages,
    all: async (options) => {
      const kept: Item[] = [];
      for await (const item of items(options)) kept.push(item);
      return kept;
    },
  };
}

interface Walk<Item> {
  readonly first: number;
  readonly size: number;
  readonly pagesMax: number;
  readonly keyOf: (item: Item) => string;
}

async function* walk<Item>(
  pageOf: (page: number, size: number) => Promise<Page<Item>>,
  { first, size, pagesMax, keyOf }: Walk<Item>,
): AsyncGenerator<Page<Item>> {
  let before: ReadonlySet<string> = new Set();
  for (let page = first; page < first + pagesMax; page += 1) {
    const fetched = await pageOf(page, size);
    const known = before;
    yield { ...fetched, list: fetched.list.filter((item) => !known.has(keyOf(item))) };
    if (!fetched.hasMore) return;
    before = new Set(fetched.list.map(keyOf));
  }
  throw new CardwrightError(
    `the list is longer than ${pagesMax} pages of ${size}: ask for a shorter time, or raise pagesMax`,
  );
}

async function* itemsOf<Item>(pages: AsyncIterable<Page<Item>>): AsyncGenerator<Item> {
  for await (const { list } of pages) yield* list;
}
