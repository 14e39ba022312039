import { expect, test } from "vitest";
import { createPushBook } from "./push-book.ts";

function bookOf(sequences: readonly number[]) {
  const book = createPushBook();
  for (const sequence of sequences) {
    book.enter({ cardNo: "C1", sequence, dueAtMs: 0, atMs: 1 });
  }
  return book.page();
}

test.each([
  { what: "pushes in order", sequences: [1, 2, 3], page: { arrived: 3, repeats: 0, outOfOrder: 0 } },
  { what: "a repeat", sequences: [1, 2, 1, 2, 3], page: { arrived: 3, repeats: 2, outOfOrder: 0 } },
  { what: "a push that is missing", sequences: [1, 3, 4], page: { arrived: 3, repeats: 0, outOfOrder: 2 } },
  { what: "a push that came too early", sequences: [2, 1, 3], page: { arrived: 3, repeats: 0, outOfOrder: 1 } },
  {
    what: "a repeat of one that came too early",
    sequences: [2, 2, 1, 2],
    page: { arrived: 2, repeats: 2, outOfOrder: 1 },
  },
])("the book of a merchant tells $what from the others", ({ sequences, page }) => {
  expect(bookOf(sequences)).toMatchObject(page);
});
