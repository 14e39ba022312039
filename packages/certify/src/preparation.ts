import { type Books, differenceFrom, findAvailable, money } from "./books.ts";
import { failed, passed, type Samples, type Verdict } from "./check.ts";
import type { Desk } from "./desk.ts";
import { limits } from "./limits.ts";
import type { News } from "./purchase.ts";
import { type Answer, isYes, shown } from "./wire/answer.ts";
import type { Message } from "./wire/message.ts";

/** A push that changes nothing: the platform's own test push is one like this. */
export function harmlessUpdate(desk: Desk): Message {
  return desk.message("Card_update", {
    card_no: desk.run.settings.cardNo,
    before_status: "Activated",
    after_status: "Activated",
    reason: "test",
    time: desk.time(),
  });
}

/** What the platform tells of a purchase that it has refused by itself: it moves no money in the merchant's books. */
export const declinedNews: News = {
  status: "Fail",
  remark: "limit_per_purchase",
  detail: "The amount is above the limit of one purchase.",
};

/** More than any test card has. */
export const beyondMoney = 999_999_999n;

/** A server that is being started again is there after so long. */
const secondTryMs = 500;

export async function isReachable(desk: Desk): Promise<Verdict> {
  const answers: Answer[] = [];
  for (const waitMs of [0, secondTryMs]) {
    await desk.wait(waitMs);
    const answer = await desk.send(harmlessUpdate(desk));
    answers.push(answer);
    if (answer.end === "answered") {
      return passed(`answered in ${Math.round(answer.tookMs)} ms: ${shown(answer)}`);
    }
    if (answer.end === "untrusted") {
      // It will be no other one in a moment.
      break;
    }
  }
  return failed([...new Set(answers.map(shown))].join("; then "));
}

export async function isAccepted(desk: Desk): Promise<Verdict> {
  const update = await desk.send(harmlessUpdate(desk));
  const declined = await desk.tell(desk.purchase(), declinedNews);
  const saw = `Card_update: ${shown(update)}; Consumption: ${shown(declined)}`;
  return isYes(update) || isYes(declined) ? passed(saw) : failed(saw);
}

export async function findBooks(desk: Desk, books: Books): Promise<Verdict> {
  const found = await findAvailable(desk);
  if (!found.ok) {
    return failed(found.saw);
  }
  const { available } = found;
  if (available < limits.cardMoneyMin) {
    return failed(
      `purchases of ${money(available)} in all were approved; the test card needs ${money(limits.cardMoneyMin)}`,
    );
  }
  const difference = await differenceFrom(desk, books, { expected: available });
  if (difference !== null) {
    return failed(`${money(available)} was approved and reversed again (Fail, reversed); then ${difference}`);
  }
  books.available = available;
  books.first = available;
  books.isSure = true;
  return passed(`${money(available)} is available, and again after it was held and reversed`);
}

export async function takeSamples(desk: Desk): Promise<Samples> {
  return {
    approved: await desk.ask(desk.purchase()),
    declined: await desk.ask(desk.purchase({ amount: beyondMoney })),
    consumption: await desk.tell(desk.purchase(), declinedNews),
    cardUpdate: await desk.send(harmlessUpdate(desk)),
  };
}
