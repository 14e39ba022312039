import type { Check } from "../check.ts";
import { checksOf } from "./define.ts";
import { firstRefused, ledgerCheck, pendingPurchase } from "./ledger.ts";

const byTime =
  "Order the news of one consume_no by its time, and let a final status win within one millisecond; answer older news with code 0 and change nothing.";

export const orderChecks: readonly Check[] = [
  ...checksOf("order", [
    ledgerCheck({
      name: "success-before-pending",
      title: "Takes Success before Pending, and books once",
      proves: "A push that was overtaken by a later one does no harm.",
      mend: byTime,
      play: async (desk) => {
        const purchase = desk.purchase();
        const auth = await desk.ask(purchase);
        const [early, late] = [desk.time(), desk.time()];
        const success = await desk.tell(purchase, { status: "Success", timeMs: late });
        const pending = await desk.tell(purchase, { status: "Pending", timeMs: early });
        const answers = { Auth: auth, "Success, which came first,": success, "Pending, which came late,": pending };
        return { taken: purchase.amount, refused: firstRefused(answers) };
      },
    }),
    ledgerCheck({
      name: "old-pending-after-final-amount",
      title: "Keeps the final amount when the older Pending arrives after it",
      proves: "Old news does not bring an old amount back.",
      mend: byTime,
      play: async (desk) => {
        const purchase = desk.purchase();
        const auth = await desk.ask(purchase);
        const [early, late] = [desk.time(), desk.time()];
        const amount = purchase.amount - 75n;
        const success = await desk.tell(purchase, { status: "Success", amount, timeMs: late });
        const pending = await desk.tell(purchase, { status: "Pending", timeMs: early });
        return { taken: amount, refused: firstRefused({ Auth: auth, Success: success, "the older Pending": pending }) };
      },
    }),
    ledgerCheck({
      name: "old-pending-after-fail",
      title: "Holds nothing when the older Pending arrives after Fail",
      proves: "A purchase that is over does not come back to life.",
      mend: byTime,
      play: async (desk) => {
        const purchase = desk.purchase();
        const auth = await desk.ask(purchase);
        const [early, late] = [desk.time(), desk.time()];
        const fail = await desk.tell(purchase, { status: "Fail", remark: "reversed", timeMs: late });
        const pending = await desk.tell(purchase, { status: "Pending", timeMs: early });
        return { taken: 0n, refused: firstRefused({ Auth: auth, Fail: fail, "the older Pending": pending }) };
      },
    }),
    ledgerCheck({
      name: "push-with-auth",
      title: "Holds once when the Pending push arrives beside its Auth",
      proves: "A push that does not wait for the answer to its question finds no gap between look and write.",
      mend: "Insert the row of a consume_no with a unique key in one transaction, whichever of the two comes first.",
      play: async (desk) => {
        const purchase = desk.purchase();
        const [, pending] = await Promise.all([desk.ask(purchase), desk.tell(purchase, { status: "Pending" })]);
        purchase.mayHold = true;
        return { taken: purchase.amount, refused: firstRefused({ "the push": pending }) };
      },
    }),
    ledgerCheck({
      name: "fail-before-auth",
      title: "Holds nothing when the question arrives after its purchase has failed",
      proves: "A question that was stuck in a queue, while the platform gave up, does not hold money for ever.",
      mend: "When a consume_no is known as failed, decline its Auth and hold nothing.",
      play: async (desk) => {
        const purchase = desk.purchase();
        const auth = desk.auth(purchase);
        const fail = await desk.tell(purchase, { status: "Fail", remark: "merchant_timeout" });
        desk.note(purchase, await desk.send(auth));
        return { taken: 0n, refused: firstRefused({ "the Fail push": fail }) };
      },
    }),
  ]),
  ...checksOf("timeout", [
    ledgerCheck({
      name: "released",
      title: "Releases what it approved when the platform had timed out",
      proves: "Your yes came too late, the purchase failed at the shop, and the cardholder has the money back at once.",
      mend: "Release the hold on Consumption Fail with the remark merchant_timeout, also when your own answer was yes.",
      play: async (desk) => {
        const purchase = desk.purchase();
        const auth = await desk.ask(purchase);
        const fail = await desk.tell(purchase, {
          status: "Fail",
          remark: "merchant_timeout",
          detail: "The merchant did not answer in time.",
        });
        return { taken: 0n, refused: firstRefused({ Auth: auth, "the Fail push": fail }) };
      },
    }),
    ledgerCheck({
      name: "stand-in-after-decline",
      title: "Holds for a purchase that it declined too late",
      proves: "When your no came after the deadline and the platform's stand-in had approved, the push counts.",
      mend: "Follow the Consumption push, not your own answer: Pending holds, also after a decline.",
      play: async (desk, available) => {
        const declined = desk.purchase({ amount: available + 100n });
        await desk.ask(declined);
        const amount = 125n;
        const pending = await desk.tell(declined, { status: "Pending", amount, remark: "stand_in" });
        return { taken: amount, refused: firstRefused({ "the Pending push": pending }) };
      },
    }),
    ledgerCheck({
      name: "expired",
      title: "Releases a hold that has expired",
      proves: "An approval that no shop ever clears does not block money for ever.",
      mend: "Release the hold on Consumption Fail with the remark expired.",
      play: async (desk) => {
        const { purchase, refused } = await pendingPurchase(desk);
        const fail = await desk.tell(purchase, { status: "Fail", remark: "expired" });
        return { taken: 0n, refused: refused ?? firstRefused({ "the Fail push": fail }) };
      },
    }),
  ]),
];
