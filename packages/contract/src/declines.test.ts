import { expect, test } from "vitest";
import { isDeclineReason, remarkList, remarkSentence, responseCodeOf } from "./declines.ts";

const SECTION_9 =
  "card_not_found, card_not_active, card_frozen, card_expired, cvv_mismatch, pin_mismatch, pin_tries_exceeded, limit_per_purchase, limit_week, limit_atm_day, limit_atm_month, insufficient_credit, insufficient_reserve, merchant_declined, merchant_timeout, merchant_unreachable, merchant_bad_answer, merchant_busy, merchant_circuit_open, merchant_disabled, currency_not_supported, duplicate, system_error";
/** What becomes of a purchase that was not declined: the contract's three, then ours. */
const later =
  "expired, reversed, stand_in, network_stand_in, partially_cleared, over_captured, cleared_late, force_posted, reversed_after_clearing, fee_not_covered".split(
    ", ",
  );

test("the remarks are those of section 9, the later ones last", () => {
  const remarks = remarkList.map(({ remark }) => remark);
  expect(remarks.slice(0, -later.length)).toEqual(SECTION_9.split(", "));
  expect(remarks.slice(-later.length)).toEqual(later);
});

test("every remark has a sentence in both languages and every decline refuses at the network", () => {
  for (const { remark } of remarkList) {
    expect(remarkSentence(remark, "en_US")).toMatch(/^[A-Z].*\.$/);
    expect(remarkSentence(remark, "zh_CN")).toMatch(/。$/);
  }
  for (const { remark } of remarkList.slice(0, -later.length)) {
    expect(isDeclineReason(remark) ? responseCodeOf(remark) : remark).toMatch(/^(?!00)[0-9]{2}$/);
  }
});

test("what happens after an approval is not a decline reason", () => {
  for (const text of [...later, "", "toString"]) expect(isDeclineReason(text)).toBe(false);
});
