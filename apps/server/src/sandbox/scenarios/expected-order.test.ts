import { expect, test } from "vitest";
import { inExpectedOrder } from "./expected-order.ts";
import { createNumbers } from "./numbers.ts";
import type { ExpectedCallback } from "./schema.ts";
import type { WireCallback } from "./wire.ts";

const fee = (consumeNo: string, time: number): WireCallback => ({
  action: "Consumption",
  data: { consume_no: consumeNo, type: "Manage_fee", status: "Success", amount: 2, fee: 0, fee_detail: [], time },
});
const expected = (consumption: string): ExpectedCallback => ({
  consumption,
  type: "Manage_fee",
  status: "Success",
  amount: { credit: "2.00", authorization: "2.00" },
});

test("of callbacks that look alike the earliest by its own time has the name that is expected first", () => {
  for (const told of [
    [fee("O1", 1_000), fee("O2", 2_000)],
    [fee("O2", 2_000), fee("O1", 1_000)],
  ]) {
    const numbers = createNumbers();
    const sorted = inExpectedOrder({ mode: "credit", numbers }, { expected: [expected("m1"), expected("n1")], told });
    expect(sorted.map(({ data }) => data["consume_no"])).toEqual(["O1", "O2"]);
    expect([numbers.of("m1"), numbers.of("n1")]).toEqual(["O1", "O2"]);
  }
});

test("one that has its name already goes where it is expected, whatever its time is", () => {
  const numbers = createNumbers();
  numbers.is("n1", "O1");
  const sorted = inExpectedOrder(
    { mode: "credit", numbers },
    { expected: [expected("m1"), expected("n1")], told: [fee("O1", 1_000), fee("O2", 2_000)] },
  );
  expect(sorted.map(({ data }) => data["consume_no"])).toEqual(["O2", "O1"]);
});
