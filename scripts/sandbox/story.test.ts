import { expect, test } from "vitest";
import { type Chapter, type Purchase, type StoryFacts, wentAsTold } from "./story.ts";

const approved: Purchase = {
  approved: true,
  reason: "",
  responseCode: "00",
  consumeNo: "O1",
  amount: "25.00",
  milliseconds: 5,
};
const declined = (reason: string): Purchase => ({ ...approved, approved: false, reason, responseCode: "51" });
const chapter = (reason: string): Chapter => ({
  merchantNo: "M1",
  cardholderNo: "U1",
  cardNo: "C1",
  purchase: approved,
  declined: declined(reason),
});

const credit = chapter("insufficient_credit");
const authorization = chapter("merchant_declined");
const callbacks = { expected: 8, received: 8, verified: 8, refused: 0, complete: true };
const asTold = { credit, authorization, callbacks };

test("the story is good when both purchases were approved, both others declined, and all callbacks came", () => {
  expect(wentAsTold(asTold)).toBe(true);
});

const faults: readonly (readonly [string, Omit<StoryFacts, "ok">])[] = [
  [
    "the purchase in credit mode was declined",
    { ...asTold, credit: { ...credit, purchase: declined("system_error") } },
  ],
  [
    "the purchase in authorization mode was declined",
    { ...asTold, authorization: { ...authorization, purchase: declined("merchant_timeout") } },
  ],
  ["more was spent than the credit covers", { ...asTold, credit: { ...credit, declined: approved } }],
  ["the merchant's no was not heeded", { ...asTold, authorization: { ...authorization, declined: approved } }],
  ["the credit was not the reason", { ...asTold, credit: chapter("system_error") }],
  ["the merchant said no too late", { ...asTold, authorization: chapter("merchant_timeout") }],
  ["a callback is missing or was refused", { ...asTold, callbacks: { ...callbacks, complete: false } }],
];

test.each(faults)("the story is not good when %s", (_what, facts) => {
  expect(wentAsTold(facts)).toBe(false);
});
