import { money, settled } from "../books.ts";
import { type Bench, type Check, failed, nothingToJudge, passed, type Verdict } from "../check.ts";
import { heldBy } from "../desk.ts";
import { limits } from "../limits.ts";
import { type Answer, isYes, meaningOf, shown } from "../wire/answer.ts";
import { checksOf } from "./define.ts";
import { firstRefused, ledgerCheck } from "./ledger.ts";

const purchasesAtOnce = 32;
const repeatsAtOnce = 8;

const lockTheAccount =
  "Check and hold in one step: UPDATE … SET held = held + :amount WHERE available >= :amount, or SELECT … FOR UPDATE on the account.";

async function exactlyWhatIsCovered({ desk, books }: Bench): Promise<Verdict> {
  const before = await settled(desk, books);
  if (!before.ok || before.available < limits.cardMoneyMin) {
    return nothingToJudge(before.ok ? `only ${money(before.available)} is left on the card` : before.saw);
  }
  // Quarters, so that rounding does not play a part; from 5 to 20 of the 32 are covered.
  const amount = (before.available / BigInt(desk.random.between(5, 19)) / 25n) * 25n;
  const covered = Number(before.available / amount);
  const purchases = Array.from({ length: purchasesAtOnce }, () => desk.purchase({ amount }));
  const answers = await Promise.all(purchases.map((purchase) => desk.ask(purchase)));
  const held = purchases.reduce((sum, purchase, index) => {
    const answer = answers[index];
    return sum + (answer === undefined ? 0n : heldBy(purchase, answer));
  }, 0n);
  const approved = answers.filter(isYes).length;
  const saw = `${purchasesAtOnce} purchases of ${money(amount)} at once on ${money(before.available)}: ${approved} approved, ${covered} covered`;
  const lost = answers.find(({ end }) => end !== "answered");
  if (lost !== undefined) {
    return failed(`${saw}; one got ${shown(lost)}`);
  }
  return approved >= covered && held <= before.available ? passed(saw) : failed(saw);
}

export const concurrencyChecks: readonly Check[] = checksOf("concurrency", [
  {
    name: "exact",
    title: `Approves exactly what the money covers of ${purchasesAtOnce} purchases at once`,
    weight: "money",
    mode: "AUTHORIZATION",
    needs: ["books"],
    proves:
      "Purchases that arrive together cannot spend the same money twice, and none is declined for being in a crowd.",
    mend: lockTheAccount,
    run: exactlyWhatIsCovered,
  },
  ledgerCheck({
    name: "same-auth",
    title: "Decides once when the same Auth arrives several times at once",
    proves: "Repeats that overtake each other hold once and get one answer.",
    mend: "Let a unique key on consume_no decide which one is first; the others read its answer.",
    play: async (desk) => {
      const purchase = desk.purchase();
      const message = desk.auth(purchase);
      const answers = await Promise.all(Array.from({ length: repeatsAtOnce }, () => desk.send(message)));
      answers.forEach((answer) => desk.note(purchase, answer));
      const odd = answers.find((answer: Answer) => meaningOf(answer) !== "yes");
      return { taken: purchase.amount, refused: odd === undefined ? null : `one of the answers was ${shown(odd)}` };
    },
  }),
  ledgerCheck({
    name: "same-push",
    title: "Books once when the same push arrives several times at once",
    proves: "Two deliveries of one push at the same moment do not both book it.",
    mend: "Insert the push id with a unique key in the transaction that books, and pass over it when the key is there.",
    play: async (desk) => {
      const purchase = desk.purchase();
      const auth = await desk.ask(purchase);
      const message = desk.consumption(purchase, { status: "Success" });
      const answers = await Promise.all(Array.from({ length: repeatsAtOnce }, () => desk.send(message)));
      const bookings = answers.filter(isYes);
      for (const answer of bookings) {
        desk.noteNews(purchase, { status: "Success", answer });
      }
      // Some of them may be told to come again later; one must have been booked.
      const refused = bookings.length === 0 ? firstRefused({ "the push": answers[0] ?? auth }) : null;
      return { taken: purchase.amount, refused: firstRefused({ Auth: auth }) ?? refused };
    },
  }),
]);
