import { expect, test } from "vitest";
import { createCardLines } from "./card-lines.ts";
import type { ClaimedPush } from "./claim-store.ts";

function push(cardNo: string, sequence: number): ClaimedPush {
  return {
    merchantId: 1,
    callbackId: `${cardNo}/${sequence}`,
    cardNo,
    consumeNo: "",
    sequence,
    action: "Card_update",
    dataText: "{}",
    createdAtMs: 0,
    attempt: 1,
    failures: 0,
    firstFailedAtMs: null,
    leaseUntilMs: 0,
    lateAnswer: null,
  };
}

const ids = (pushes: readonly (ClaimedPush | null)[]) => pushes.map((each) => each?.callbackId);

test("cards take turns, and a card's next push is given only after the one before was delivered", () => {
  const lines = createCardLines();
  for (const each of [push("A", 2), push("A", 1), push("B", 1), push("A", 3)]) lines.add(each);
  expect(ids([lines.take(), lines.take(), lines.take()])).toEqual(["A/1", "B/1", undefined]);
  expect([lines.waiting(), lines.isReady()]).toEqual([2, false]);
  lines.delivered("B");
  expect(lines.isReady()).toBe(false);
  lines.delivered("A");
  expect(ids([lines.take()])).toEqual(["A/2"]);
});

test("what waits behind a push that was not delivered is handed back, and the card may be claimed for again", () => {
  const lines = createCardLines();
  for (const each of [push("A", 1), push("A", 2), push("A", 3)]) lines.add(each);
  lines.take();
  expect(ids(lines.drop("A"))).toEqual(["A/2", "A/3"]);
  expect([lines.waiting(), lines.isReady()]).toEqual([0, false]);
  lines.add(push("A", 1));
  expect(ids([lines.take()])).toEqual(["A/1"]);
});

test("draining hands back everything, and a card with a push under way stays busy", () => {
  const lines = createCardLines();
  for (const each of [push("A", 1), push("A", 2), push("B", 1)]) lines.add(each);
  lines.take();
  expect(new Set(ids(lines.drain()))).toEqual(new Set(["A/2", "B/1"]));
  lines.add(push("A", 2));
  expect(lines.isReady()).toBe(false);
  lines.delivered("A");
  expect(ids([lines.take()])).toEqual(["A/2"]);
});
