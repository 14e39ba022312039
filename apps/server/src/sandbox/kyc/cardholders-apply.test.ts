import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Cardholders } from "#cardholders/index.ts";
import { eventually, type KycStage, stageMerchantId as merchantId, openKycStage } from "./kyc-stage.ts";

let stage: KycStage;

beforeEach(async () => {
  stage = await openKycStage();
});
afterEach(() => stage.close());

/** Longer than the lease of a reservation. */
const leaseMs = 31_000;

const apply = (
  token: string,
  given: { unique?: string; no?: string; merchant?: number; by?: Cardholders } = {},
): ReturnType<Cardholders["apply"]> =>
  (given.by ?? stage.cardholders).apply({
    merchantId: given.merchant ?? merchantId,
    cardholderNo: given.no,
    cardholderUniqueNo: given.unique ?? "user-1",
    sumsubShareToken: token,
  });

async function accepted(token: string, given: Parameters<typeof apply>[1] = {}): Promise<string> {
  const answer = await apply(token, given);
  if (!answer.ok) throw new Error(answer.reason);
  return answer.value.cardholderNo;
}

const statusOf = async (cardholderNo: string): Promise<string | undefined> =>
  (await stage.cardholders.find({ merchantId, cardholderNo }))?.status;

const count = async (table: string): Promise<number> => {
  const { rows } = await stage.db.pool.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${table}`);
  return rows[0]?.rows ?? -1;
};

async function rejected(unique = "user-1"): Promise<string> {
  const cardholderNo = await accepted(`reject-${unique}`, { unique });
  await stage.letReviewEnd(cardholderNo);
  await eventually(async () => (await statusOf(cardholderNo)) === "Rejected");
  return cardholderNo;
}

test("an accepted application is Pending until the provider says more", async () => {
  const cardholderNo = await accepted("silent-1");
  expect(cardholderNo).toMatch(/^U20260522/u);
  expect(await stage.cardholders.find({ merchantId, cardholderNo })).toEqual({
    merchantId,
    cardholderNo,
    cardholderUniqueNo: "user-1",
    status: "Pending",
    email: "",
    firstName: "",
    lastName: "",
    failReason: "",
    createdAt: stage.clock.now(),
  });
});

test("the same number with the same share token answers with the first result, whatever became of it", async () => {
  const first = await apply("reject-1");
  expect(await apply("reject-1")).toEqual(first);
  if (!first.ok) throw new Error(first.reason);
  const { cardholderNo } = first.value;
  await stage.letReviewEnd(cardholderNo);
  await eventually(async () => (await statusOf(cardholderNo)) === "Rejected");
  expect(await apply("reject-1")).toEqual(first);
  await accepted("approve-2", { no: cardholderNo });
  expect(await apply("reject-1")).toEqual(first);
  expect(await apply("approve-2", { no: cardholderNo })).toEqual(first);
  expect(stage.calls.imports).toBe(2);
});

test("a taken unique number is refused with another share token, but not to another merchant", async () => {
  await accepted("pending-1");
  expect(await apply("pending-2")).toEqual({ ok: false, reason: "cardholder_exists" });
  await accepted("pending-3", { merchant: merchantId + 1 });
  expect(stage.calls.imports).toBe(2);
});

test("an update names a cardholder of this merchant and its unique number", async () => {
  const cardholderNo = await rejected();
  expect(await apply("approve-2", { no: "U20260522NOBODY" })).toEqual({ ok: false, reason: "cardholder_not_found" });
  expect(await apply("approve-2", { no: cardholderNo, merchant: 99 })).toEqual({
    ok: false,
    reason: "cardholder_not_found",
  });
  expect(await apply("approve-2", { no: cardholderNo, unique: "user-2" })).toEqual({
    ok: false,
    reason: "unique_number_differs",
  });
  expect(stage.calls.imports).toBe(1);
});

test("an update is refused while the verification runs and once it has succeeded", async () => {
  const cardholderNo = await accepted("pending-1");
  expect(await apply("approve-2", { no: cardholderNo })).toEqual({ ok: false, reason: "verification_pending" });
  await eventually(async () => (await statusOf(cardholderNo)) === "In_progress");
  expect(await apply("approve-2", { no: cardholderNo })).toEqual({ ok: false, reason: "verification_pending" });

  const other = await accepted("approve-3", { unique: "user-2" });
  await stage.letReviewEnd(other);
  await eventually(async () => (await statusOf(other)) === "Approved");
  expect(await apply("approve-4", { no: other, unique: "user-2" })).toEqual({ ok: false, reason: "already_verified" });
});

test("a rejected cardholder may apply again and keeps its number", async () => {
  const cardholderNo = await rejected();
  expect(await apply("approve-2")).toEqual({ ok: false, reason: "cardholder_exists" });
  expect(await accepted("approve-2", { no: cardholderNo })).toBe(cardholderNo);
  await stage.letReviewEnd(cardholderNo);
  await eventually(async () => (await statusOf(cardholderNo)) === "Approved");
  expect(await stage.cardholders.find({ merchantId, cardholderNo })).toMatchObject({ failReason: "" });
  expect(stage.approved).toEqual([{ merchantId, cardholderNo }]);
});

test.each([
  ["an unknown share token", "nonsense"],
  ["a service that is down", "down-1"],
])("%s refuses the application and uses nothing up", async (_, token) => {
  expect(await apply(token)).toEqual({ ok: false, reason: "kyc_data_unavailable" });
  expect([await count("cardholder"), await count("cardholder_import")]).toEqual([0, 0]);
  await accepted("approve-1");
});

test("a share token that was used once is refused, also with another number", async () => {
  await accepted("pending-1");
  expect(await apply("pending-1", { unique: "user-2" })).toEqual({ ok: false, reason: "kyc_data_unavailable" });
});

test("a share token is refused once its 20 minutes are over", async () => {
  const applicant = { email: "grace@example.com", firstName: "Grace", lastName: "Hopper" };
  const { json } = await stage.control("/simulator/share-tokens", { outcome: "approve", applicant });
  stage.clock.advance(20 * 60_000);
  expect(await apply(String(json["token"]))).toEqual({ ok: false, reason: "kyc_data_unavailable" });
});

test("a provider that hangs refuses the application after the time-out", async () => {
  expect(await apply("timeout-1")).toEqual({ ok: false, reason: "kyc_data_unavailable" });
  expect(await count("cardholder_import")).toBe(0);
});

test("a refused update leaves the cardholder Rejected with its reason", async () => {
  const cardholderNo = await rejected();
  const before = await stage.cardholders.find({ merchantId, cardholderNo });
  expect(await apply("down-2", { no: cardholderNo })).toEqual({ ok: false, reason: "kyc_data_unavailable" });
  expect(await stage.cardholders.find({ merchantId, cardholderNo })).toEqual(before);
  await accepted("approve-3", { no: cardholderNo });
});

test("of 20 racing calls with one number and one token one imports and all get its result", async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => apply("pending-1")));
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]).toMatchObject({ ok: true });
  expect(stage.calls.imports).toBe(1);
  expect([await count("cardholder"), await count("cardholder_attempt"), await count("cardholder_import")]).toEqual([
    1, 1, 0,
  ]);
});

test("of 20 racing calls with one number and 20 tokens one is accepted", async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => apply(`pending-${n}`)));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  const refusals = answers.flatMap((answer) => (answer.ok ? [] : [answer.reason]));
  expect(new Set(refusals)).toEqual(new Set(["cardholder_exists"]));
  expect(stage.calls.imports).toBe(1);
});

test("of 20 racing updates one is accepted, the others hear that it runs", async () => {
  const cardholderNo = await rejected();
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => apply(`pending-${n}`, { no: cardholderNo })));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  const refusals = answers.flatMap((answer) => (answer.ok ? [] : [answer.reason]));
  expect(new Set(refusals)).toEqual(new Set(["verification_pending"]));
  expect(stage.calls.imports).toBe(2);
});

test("racing calls with a token that is refused are all refused after one import", async () => {
  stage.kyc = {
    ...stage.client,
    importApplicant: async (input) => {
      await sleep(100);
      return stage.client.importApplicant(input);
    },
  };
  const answers = await Promise.all(Array.from({ length: 5 }, () => apply("down-1")));
  expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
    new Set(['{"ok":false,"reason":"kyc_data_unavailable"}']),
  );
  expect(stage.calls.imports).toBe(1);
});

const died = new Error("the process died");

/** A pool that dies when its transactions are opened for the second time: after the import, before its result is stored. */
function dyingPool(pool: Pool): Pool {
  let transactions = 0;
  return Object.create(pool, {
    connect: {
      value: () => {
        transactions += 1;
        return transactions === 1 ? pool.connect() : Promise.reject(died);
      },
    },
  });
}

test("a process that dies after the import leaves the number to the next call once its lease is over", async () => {
  const dying = stage.another({ pool: dyingPool(stage.db.pool) });
  await expect(apply("pending-1", { by: dying })).rejects.toBe(died);
  expect(await count("cardholder_import")).toBe(1);
  expect(await apply("pending-2")).toEqual({ ok: false, reason: "cardholder_exists" });
  stage.clock.advance(leaseMs);
  await accepted("pending-2");
  expect([await count("cardholder"), await count("cardholder_import")]).toEqual([1, 0]);
});

test("a process that dies during an update leaves the cardholder Rejected and free to apply again", async () => {
  const cardholderNo = await rejected();
  const dying = stage.another({ pool: dyingPool(stage.db.pool) });
  await expect(apply("pending-2", { no: cardholderNo, by: dying })).rejects.toBe(died);
  expect(await statusOf(cardholderNo)).toBe("Rejected");
  expect(await apply("pending-3", { no: cardholderNo })).toEqual({ ok: false, reason: "verification_pending" });
  stage.clock.advance(leaseMs);
  await accepted("pending-3", { no: cardholderNo });
});

test("the worker removes the reservation of a dead process, and not one whose lease runs", async () => {
  const dying = stage.another({ pool: dyingPool(stage.db.pool) });
  await expect(apply("pending-1", { by: dying })).rejects.toBe(died);
  await stage.cardholders.pollDue(10);
  expect(await count("cardholder_import")).toBe(1);
  stage.clock.advance(leaseMs);
  await stage.cardholders.pollDue(10);
  expect(await count("cardholder_import")).toBe(0);
});

test("an import that comes back after its reservation was taken over changes nothing", async () => {
  const slow = Promise.withResolvers<void>();
  stage.kyc = {
    ...stage.client,
    importApplicant: async (input) => {
      if (input.shareToken === "pending-slow") await slow.promise;
      return stage.client.importApplicant(input);
    },
  };
  const late = apply("pending-slow");
  await eventually(async () => (await count("cardholder_import")) === 1);
  stage.clock.advance(leaseMs);
  const cardholderNo = await accepted("pending-2");
  slow.resolve();
  expect(await late).toEqual({ ok: false, reason: "kyc_data_unavailable" });
  expect([await count("cardholder"), await count("cardholder_attempt")]).toEqual([1, 1]);
  expect(await statusOf(cardholderNo)).toBe("Pending");
});

test("share tokens are nowhere in the database", async () => {
  await accepted("pending-secret-token");
  for (const table of ["cardholder", "cardholder_attempt", "cardholder_status_change", "cardholder_import"]) {
    const { rows } = await stage.db.pool.query(`SELECT to_jsonb(${table})::text AS row FROM ${table}`);
    expect(JSON.stringify(rows)).not.toContain("secret-token");
  }
});

test("applying again with the very token that was rejected fails as such and changes nothing", async () => {
  const cardholderNo = await rejected("user-again");
  const again = await apply("reject-user-again", { unique: "user-again", no: cardholderNo });
  expect(again).toEqual({ ok: false, reason: "verification_failed" });
  expect(await statusOf(cardholderNo)).toBe("Rejected");
});
