import { type Books, differenceFrom, settled } from "../books.ts";
import { type Check, failed, passed } from "../check.ts";
import type { Desk } from "../desk.ts";
import { limits } from "../limits.ts";
import { findBooks, harmlessUpdate } from "../preparation.ts";
import { meaningOf, shown } from "../wire/answer.ts";
import { checksOf, yesTo } from "./define.ts";
import { clearedPurchase, firstRefused, ledgerCheck, pendingPurchase } from "./ledger.ts";

const newestWins =
  "Keep one row per consume_no with its newest status and amount, and move the balance by the difference to what the row weighed before.";

async function refundsAreBooked(desk: Desk, available: bigint, books: Books): Promise<boolean> {
  const { purchase } = await clearedPurchase(desk);
  await desk.refund(purchase, purchase.amount);
  return (await differenceFrom(desk, books, { expected: available })) === null;
}

export const bookingChecks: readonly Check[] = checksOf("booking", [
  {
    name: "readable",
    title: "Approves what the card's money covers, and gives it back when the purchase fails",
    weight: "money",
    mode: "AUTHORIZATION",
    needs: ["accepted"],
    msMax: limits.preparationMs,
    proves:
      "Approvals hold money, a Consumption with status Fail releases it, and what is available can be seen from outside.",
    mend: "Put at least 20.00 on the test card, without limits by amount or number; hold the amount of each approved Auth; release it on Consumption Fail.",
    run: ({ desk, books }) => findBooks(desk, books),
  },
  {
    name: "same-answer",
    title: "Answers a repeated Auth as it did first",
    weight: "money",
    mode: "AUTHORIZATION",
    needs: ["books"],
    proves: "A question that is asked again, because the answer was lost, gets the same answer.",
    mend: "Store the answer under the consume_no and return it when the same one comes again.",
    run: async ({ desk, books }) => {
      const approved = desk.purchase();
      const declined = desk.purchase({ amount: (books.available ?? 0n) + 100n });
      const first = [await desk.ask(approved), await desk.ask(declined)];
      const second = [await desk.ask(approved), await desk.ask(declined)];
      const same = first.every((answer, index) => meaningOf(answer) === meaningOf(second[index] ?? answer));
      const saw = `first ${first.map(shown).join(" and ")}; then ${second.map(shown).join(" and ")}`;
      return same ? passed(saw) : failed(saw);
    },
  },
  ledgerCheck({
    name: "auth-repeated",
    title: "Holds once for the same Auth twice",
    proves: "A repeated question does not take the cardholder's money twice.",
    mend: "Make consume_no unique in the table of holds, and insert and hold in one transaction.",
    play: async (desk) => {
      const purchase = desk.purchase();
      const message = desk.auth(purchase);
      const first = await desk.send(message);
      desk.note(purchase, first);
      await desk.send(message);
      return { taken: purchase.amount, refused: firstRefused({ Auth: first }) };
    },
  }),
  ledgerCheck({
    name: "pending",
    title: "Holds once for an Auth and its Pending push",
    proves: "The push that confirms an approval is not a second purchase.",
    mend: newestWins,
    play: async (desk) => {
      const { purchase, refused } = await pendingPurchase(desk);
      return { taken: purchase.amount, refused };
    },
  }),
  ledgerCheck({
    name: "success",
    title: "Takes a cleared purchase once",
    proves: "Success turns the hold into a booking instead of adding one.",
    mend: newestWins,
    play: async (desk) => {
      const { purchase, refused } = await clearedPurchase(desk);
      return { taken: purchase.amount, refused };
    },
  }),
  ledgerCheck({
    name: "push-repeated",
    title: "Books the same push once when it comes twice",
    proves: "Delivery at least once does not become booking at least once.",
    mend: "Remember the id of each push that was booked, in the transaction that books it, and answer a repeat with code 0.",
    play: async (desk) => {
      const { purchase, refused } = await pendingPurchase(desk);
      const message = desk.consumption(purchase, { status: "Success" });
      const first = await desk.send(message);
      desk.noteNews(purchase, { status: "Success", answer: first });
      const second = await desk.send(message);
      return { taken: purchase.amount, refused: refused ?? firstRefused({ "the push": first, "its repeat": second }) };
    },
  }),
  ledgerCheck({
    name: "told-again",
    title: "Books once when the same status is told again by another push",
    proves: "A push that completes shop and fees of a booked purchase does not book it again.",
    mend: newestWins,
    play: async (desk) => {
      const { purchase, refused } = await clearedPurchase(desk);
      const again = await desk.tell(purchase, { status: "Success", detail: "Completed." });
      return { taken: purchase.amount, refused: refused ?? firstRefused({ "the second push": again }) };
    },
  }),
  ledgerCheck({
    name: "final-lower",
    title: "Gives back the rest when less is cleared than was authorized",
    proves: "The final amount of the push counts, not that of the Auth.",
    mend: "Book the amount of the Success push and release the whole hold.",
    play: async (desk) => {
      const { purchase, refused } = await pendingPurchase(desk);
      const amount = purchase.amount - 75n;
      const success = await desk.tell(purchase, { status: "Success", amount });
      return { taken: amount, refused: refused ?? firstRefused({ "the Success push": success }) };
    },
  }),
  ledgerCheck({
    name: "final-higher",
    title: "Takes the difference when more is cleared than was authorized",
    proves: "Tips and fuel pumps do not cost you money.",
    mend: "Book the amount of the Success push, also when it is above the hold: a clearing cannot be refused.",
    play: async (desk) => {
      const { purchase, refused } = await pendingPurchase(desk);
      const amount = purchase.amount + 150n;
      const success = await desk.tell(purchase, { status: "Success", amount, remark: "over_captured" });
      return { taken: amount, refused: refused ?? firstRefused({ "the Success push": success }) };
    },
  }),
  ledgerCheck({
    name: "partial-reversal",
    title: "Gives back a part that was reversed, once",
    proves: "The lowered hold and the Reversal that explains it are not both given back.",
    mend: "Follow the amount of the purchase's own push; a Reversal gives back only what was cleared before.",
    play: async (desk) => {
      const { purchase, refused } = await pendingPurchase(desk);
      const lowered = await desk.tell(purchase, { status: "Pending", amount: purchase.amount - 75n });
      const reversal = await desk.reversal(purchase, 75n);
      const answers = { "the lowered Pending push": lowered, "the Reversal": reversal };
      return { taken: purchase.amount - 75n, refused: refused ?? firstRefused(answers) };
    },
  }),
  ledgerCheck({
    name: "full-reversal",
    title: "Gives back a hold that was reversed in full, once",
    proves: "Fail and the Reversal that explains it are not both given back.",
    mend: "Release the hold on Fail; a Reversal gives back only what was cleared before.",
    play: async (desk) => {
      const { purchase, refused } = await pendingPurchase(desk);
      const fail = await desk.tell(purchase, { status: "Fail", remark: "reversed", detail: "Reversed." });
      const reversal = await desk.reversal(purchase, purchase.amount);
      return { taken: 0n, refused: refused ?? firstRefused({ "the Fail push": fail, "the Reversal": reversal }) };
    },
  }),
  ledgerCheck({
    name: "reversal-after-clearing",
    title: "Gives back a cleared purchase that is reversed",
    proves: "A Reversal of a booked purchase moves the money back, though the purchase itself stays Success.",
    mend: "On a Reversal whose consume_relate_no was Success before, give its amount back.",
    play: async (desk) => {
      const { purchase, refused } = await clearedPurchase(desk);
      const original = await desk.tell(purchase, { status: "Success", remark: "reversed_after_clearing" });
      const reversal = await desk.reversal(purchase, purchase.amount);
      return { taken: 0n, refused: refused ?? firstRefused({ "the purchase": original, "the Reversal": reversal }) };
    },
  }),
  ledgerCheck({
    name: "refund",
    title: "Gives back a part that is refunded",
    proves: "A Refund raises the balance by its own amount.",
    mend: "Book a Consumption of type Refund and status Success as money for the cardholder.",
    play: async (desk) => {
      const { purchase, refused } = await clearedPurchase(desk);
      const refund = await desk.refund(purchase, 75n);
      return { taken: purchase.amount - 75n, refused: refused ?? firstRefused({ "the Refund": refund }) };
    },
  }),
  ledgerCheck({
    name: "declined",
    title: "Takes nothing for a purchase that was declined",
    proves: "The push about a declined purchase, with or without an Auth before it, moves no money.",
    mend: "A Consumption with status Fail holds nothing, whatever its amount.",
    play: async (desk, available) => {
      const asked = desk.purchase({ amount: available + 100n });
      await desk.ask(asked);
      const told = await desk.tell(asked, { status: "Fail", remark: "merchant_declined" });
      const other = await desk.tell(desk.purchase(), { status: "Fail", remark: "card_frozen" });
      return { taken: 0n, refused: firstRefused({ "the declined purchase": told, "one without an Auth": other }) };
    },
  }),
  ledgerCheck({
    name: "forced",
    title: "Books a cleared purchase that it was never asked about",
    proves: "What was approved without you (offline, on planes, after an expired hold) is booked all the same.",
    mend: "Book a Success push for an unknown consume_no like any other and answer code 0.",
    play: async (desk) => {
      const purchase = desk.purchase();
      const success = await desk.tell(purchase, { status: "Success", remark: "force_posted" });
      return { taken: purchase.amount, refused: firstRefused({ "the Success push": success }) };
    },
  }),
  ledgerCheck({
    name: "stand-in",
    title: "Holds for a purchase that was approved in its place",
    proves: "A purchase that the network or the platform approved by itself holds the money.",
    mend: "Hold on a Pending push for an unknown consume_no.",
    play: async (desk) => {
      const purchase = desk.purchase();
      const pending = await desk.tell(purchase, { status: "Pending", remark: "stand_in" });
      return { taken: purchase.amount, refused: firstRefused({ "the Pending push": pending }) };
    },
  }),
  ledgerCheck({
    name: "forced-beyond-money",
    title: "Books a cleared purchase that the money does not cover",
    proves: "A clearing that cannot be refused is not refused: the balance may fall below zero.",
    mend: "Do not check the balance on a Consumption push: it tells what has happened. Answer code 0 and book it.",
    weight: "contract",
    play: async (desk, available, books) => {
      // A merchant that does not book the refund would be left with a card below zero.
      if (!(await refundsAreBooked(desk, available, books))) {
        return { taken: 0n, notPlayed: "a refund was not booked, so the card could not be brought back above zero" };
      }
      const purchase = desk.purchase({ amount: available + 500n });
      const success = await desk.tell(purchase, { status: "Success", remark: "force_posted" });
      const refused = firstRefused({ "the Success push": success });
      return { taken: refused === null ? purchase.amount : 0n, refused };
    },
  }),
  {
    name: "card-update",
    title: "Takes a Card_update",
    weight: "contract",
    needs: ["accepted"],
    proves: "News of a card's status arrives.",
    mend: "Answer code 0 to every Card_update, also when nothing changes by it.",
    run: async ({ desk }) => yesTo("a Card_update", await desk.send(harmlessUpdate(desk))),
  },
  {
    name: "card-frozen",
    title: "Goes on after a card was frozen and activated again",
    weight: "contract",
    mode: "AUTHORIZATION",
    needs: ["books"],
    proves: "Card_update is applied in the order of its time: the last status counts.",
    mend: "Keep the time of the last status of each card and pass over older news.",
    run: async ({ desk, books }) => {
      await settled(desk, books);
      const update = (before_status: string, after_status: string, time: number) =>
        desk.message("Card_update", {
          card_no: desk.run.settings.cardNo,
          before_status,
          after_status,
          reason: "test",
          time,
        });
      const [early, middle, late] = [desk.time(), desk.time(), desk.time()];
      const frozen = await desk.send(update("Activated", "Frozen", middle));
      const activated = await desk.send(update("Frozen", "Activated", late));
      const old = await desk.send(update("Activated", "Frozen", early));
      // Whatever became of the old news, the card ends as it began.
      const purchase = await desk.ask(desk.purchase());
      const again = await desk.send(update("Frozen", "Activated", desk.time()));
      const refused = firstRefused({
        Frozen: frozen,
        Activated: activated,
        "the old news": old,
        "the purchase": purchase,
        again,
      });
      return refused === null ? passed(`the purchase after it: ${shown(purchase)}`) : failed(refused);
    },
  },
]);
