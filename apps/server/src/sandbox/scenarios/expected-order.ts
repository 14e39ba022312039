import { compareCallback, type Naming } from "./compare.ts";
import { createNumbers } from "./numbers.ts";
import type { ExpectedCallback } from "./schema.ts";
import { textAt, type WireCallback } from "./wire.ts";

/**
 * Puts callbacks about different consumptions into the order that the script tells them in; those about one keep theirs. One that
 * has no name yet goes where its type, status and amount are first expected; of several that look alike, the earliest by its own time:
 * those of different cards come in any order, and the statement is sorted by that time.
 */
export function inExpectedOrder(
  { mode, numbers }: Naming,
  of: { readonly expected: readonly ExpectedCallback[]; readonly told: readonly WireCallback[] },
): readonly WireCallback[] {
  const left = [...of.told];
  return of.expected.flatMap((expected) => {
    const alias = expected.auth ?? expected.consumption ?? expected.card ?? "";
    const known = numbers.of(alias);
    const places = left.flatMap((callback, place) => (isExpected(callback) ? [place] : []));
    const timeAt = (place: number) => Number(left[place]?.data["time"]);
    const place = places.reduce((best, each) => (best < 0 || timeAt(each) < timeAt(best) ? each : best), -1);
    const [found] = place < 0 ? left.splice(0, 1) : left.splice(place, 1);
    if (found !== undefined)
      numbers.is(alias, textAt(found.data, expected.card === undefined ? "consume_no" : "card_no"));
    return found === undefined ? [] : [found];

    function isExpected({ action, data }: WireCallback): boolean {
      const number = textAt(data, expected.card === undefined ? "consume_no" : "card_no");
      if (known !== "") return number === known && (expected.card !== undefined) === (action === "Card_update");
      return (
        compareCallback(
          { mode, numbers: createNumbers() },
          { ...expected, relates: undefined },
          {
            action,
            data: { ...data, consume_relate_no: "" },
          },
        ).length === 0 && numbers.nameOf(number) === number
      );
    }
  });
}
