import { expect, test } from "vitest";
import { credentials, type Defect, type SmallMerchant, startSmallMerchant } from "../test/small-merchant.ts";
import { type CertifyReport, certify, checkList, type Grade } from "./index.ts";

/** A run as short as it can be; the deadline leaves room for a busy machine, and a merchant that is slow is slower than that. */
const short = {
  ...credentials,
  mode: "AUTHORIZATION",
  seed: 7,
  rates: [40],
  deadlineMs: 3_500,
  pace: { idleMs: 100, burstQuestions: 24, steadySecondsEach: 0.6, settleWaitsMs: [30] },
} as const;

async function withMerchant(defect: Defect, work: (merchant: SmallMerchant) => Promise<void>): Promise<void> {
  const merchant = await startSmallMerchant(defect);
  try {
    await work(merchant);
  } finally {
    await merchant.close();
  }
}

/** Failures that were not to be, in full, and checks that should have failed and did not. */
function surprises({ checks }: CertifyReport, expected: readonly string[]): readonly unknown[] {
  const failed = checks.filter(({ ok }) => ok === false);
  const missing = expected.filter((id) => !failed.some((check) => check.id === id));
  return [...failed.filter(({ id }) => !expected.includes(id)), ...missing];
}

const badSignatures = ["wrong", "missing", "empty", "cut", "re-dated", "re-keyed", "body-changed", "of-another-push"];
const standard = ["signature.standard-wrong", "signature.standard-envelope"];

/** Each merchant is right in everything but one thing. Where that loses money for good, the card is not as before either. */
const merchants: readonly (readonly [Defect, Grade, readonly string[]])[] = [
  ["none", "A", []],
  ["accepts any signature", "D", [...badSignatures.map((name) => `signature.${name}`), ...standard]],
  ["no timestamp check", "D", ["signature.stale", "signature.future"]],
  ["books a repeated push again", "D", ["booking.push-repeated", "concurrency.same-push", "load.card-as-before"]],
  [
    "holds twice on a repeated Auth",
    "D",
    ["booking.auth-repeated", "connection.cut-before-answer", "concurrency.same-auth"],
  ],
  ["overdraws under concurrency", "D", ["concurrency.exact"]],
  ["code as a text", "F", ["auth.code", "push.code"]],
  ["answers a text", "F", ["auth.json", "auth.content-type", "push.json", "push.content-type"]],
  ["dies on an unknown field", "C", ["tolerance.unknown-fields"]],
  ["dies on Unicode", "C", ["text.cjk", "text.emoji", "text.right-to-left", "text.combining"]],
  ["loses cents", "D", ["amounts.cents"]],
  [
    "refuses out of order",
    "D",
    ["order.success-before-pending", "order.old-pending-after-final-amount", "order.old-pending-after-fail"],
  ],
  ["keeps what timed out", "D", ["order.fail-before-auth", "timeout.released"]],
  ["slow under load", "F", ["load.burst", "load.steady"]],
  ["closes connections", "B", ["connection.keep-alive"]],
  ["gives a reversal back twice", "D", ["booking.partial-reversal", "booking.full-reversal", "load.card-as-before"]],
];

test.concurrent.each(merchants)(
  "of a merchant whose one defect is: %s, the grade is %s and exactly its own checks fail",
  { timeout: 300_000 },
  (defect, grade, expected) =>
    withMerchant(defect, async (merchant) => {
      const before = merchant.available();
      const report = await certify({ ...short, url: merchant.url });
      expect(surprises(report, expected)).toEqual([]);
      expect(report.grade).toBe(grade);
      expect(report.checks.filter(({ skipped }) => skipped === "time" || skipped === "need")).toEqual([]);
      const isAsBefore = merchant.available() === before;
      expect(isAsBefore).toBe(!expected.includes("load.card-as-before"));
    }),
);

/** More defects, of which the groups that they belong to are run. */
const others: readonly (readonly [Defect, readonly string[]])[] = [
  ["accepts a missing signature", ["signature.missing", "signature.empty"]],
  ["compares a prefix", ["signature.cut", ...standard]],
  ["ignores standard webhooks", standard],
  ["old news counts", ["order.old-pending-after-final-amount", "order.old-pending-after-fail"]],
  ["late question holds", ["order.fail-before-auth"]],
  ["refuses forced purchases", ["booking.forced", "booking.forced-beyond-money"]],
  ["ignores the final amount", ["booking.final-lower", "booking.final-higher"]],
  ["ignores refunds", ["booking.refund"]],
  ["declines with HTTP 402", ["auth.status"]],
  ["approves unknown cards", ["auth.unknown-card"]],
  ["refuses unknown actions", ["tolerance.unknown-action"]],
  ["reads one packet", ["connection.two-packets", "connection.chunked"]],
  ["dies on a broken request", ["connection.cut-in-body"]],
  ["approves everything", ["auth.unknown-card", "booking.readable"]],
  ["no money", ["booking.readable"]],
];

test.concurrent.each(others)(
  "of the groups that it concerns, exactly the own checks fail of a merchant whose defect is: %s",
  { timeout: 300_000 },
  (defect, expected) =>
    withMerchant(defect, async (merchant) => {
      const groups = new Set(expected.map((id) => id.split(".")[0]));
      const only = checkList.flatMap(({ id, group }) => (groups.has(group) ? [id] : []));
      const report = await certify({ ...short, url: merchant.url, only });
      expect(surprises(report, expected)).toEqual([]);
    }),
);
