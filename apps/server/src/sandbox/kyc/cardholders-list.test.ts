import { afterAll, beforeAll, expect, test } from "vitest";
import type { CardholderFilter } from "#cardholders/index.ts";
import { type KycStage, stageMerchantId as merchantId, openKycStage } from "./kyc-stage.ts";

let stage: KycStage;
const start = Date.UTC(2026, 4, 1);

/** 2,000 cardholders, four in each millisecond, of two merchants in turn. */
beforeAll(async () => {
  stage = await openKycStage();
  await stage.db.pool.query(
    `INSERT INTO cardholder (merchant_id, cardholder_no, cardholder_unique_no, status, attempt, kyc_applicant_id,
                             created_at, updated_at, fail_reason, email)
     SELECT $1 + n % 2, 'U' || lpad(n::text, 6, '0'), 'unique ' || n, 'Rejected', 1, 'applicant ' || n,
            $2::bigint + n / 4, $2::bigint + n / 4, 'blurred', n || '@example.com'
     FROM generate_series(0, 1999) AS n`,
    [merchantId, start],
  );
  await stage.db.ownerPool.query("ANALYZE cardholder");
});
afterAll(() => stage.close());

const filter = (given: Partial<CardholderFilter>): CardholderFilter => ({
  merchantId,
  startMs: start,
  endMsExclusive: start + 1_000,
  page: 0,
  size: 10,
  ...given,
});
const numbers = async (given: Partial<CardholderFilter>): Promise<string[]> =>
  (await stage.cardholders.list(filter(given))).map(({ cardholderNo }) => cardholderNo);

test("a list is of the own merchant, newest first, ties by the higher number", async () => {
  expect(await numbers({ size: 5 })).toEqual(["U001998", "U001996", "U001994", "U001992", "U001990"]);
});

test("pages follow each other without a gap or a repetition, and end", async () => {
  const pages = await Promise.all(Array.from({ length: 11 }, (_, page) => numbers({ page, size: 100 })));
  expect(pages.map((page) => page.length)).toEqual([...Array.from({ length: 10 }, () => 100), 0]);
  const all = pages.flat();
  expect(all).toEqual(all.toSorted().toReversed());
  expect(new Set(all).size).toBe(1_000);
});

test("the range includes its start and excludes its end", async () => {
  const range = { startMs: start + 10, endMsExclusive: start + 12 };
  expect(await numbers(range)).toEqual(["U000046", "U000044", "U000042", "U000040"]);
});

test("numbers of the filter select one cardholder, of this merchant and in the range only", async () => {
  expect(await stage.cardholders.list(filter({ cardholderNo: "U000042" }))).toEqual([
    {
      merchantId,
      cardholderNo: "U000042",
      cardholderUniqueNo: "unique 42",
      status: "Rejected",
      email: "42@example.com",
      firstName: "",
      lastName: "",
      failReason: "blurred",
      createdAt: start + 10,
    },
  ]);
  expect(await numbers({ cardholderUniqueNo: "unique 42" })).toEqual(["U000042"]);
  expect(await numbers({ cardholderNo: "U000042", cardholderUniqueNo: "unique 44" })).toEqual([]);
  expect(await numbers({ cardholderNo: "U000043" })).toEqual([]);
  expect(await numbers({ cardholderNo: "U000042", startMs: start + 11 })).toEqual([]);
});

test("a page is a walk along the index, without sorting what lies outside of it", async () => {
  const { rows } = await stage.db.pool.query<{ "QUERY PLAN": string }>(
    `EXPLAIN SELECT cardholder_no FROM cardholder WHERE merchant_id = $1 AND created_at >= $2 AND created_at < $3
     ORDER BY created_at DESC, cardholder_no DESC LIMIT 10 OFFSET 20`,
    [merchantId, start, start + 1_000],
  );
  const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
  expect(plan).toContain("cardholder_newest");
  expect(plan).not.toContain("Sort");
});
