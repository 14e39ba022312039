import { money } from "../books.ts";
import { type Check, failed, passed } from "../check.ts";
import type { PurchaseOver } from "../desk.ts";
import { beyondMoney } from "../preparation.ts";
import type { Purchase } from "../purchase.ts";
import { isYes, meaningOf, shown } from "../wire/answer.ts";
import { checksOf, type Definition, knock, yesTo } from "./define.ts";
import { firstRefused, ledgerCheck } from "./ledger.ts";

const rawNumbers =
  "Sign the raw text of each number as it came, and read amounts with a decimal type; do not write a parsed number again.";

/** A purchase abroad is answered as any other. */
function foreign(
  definition: Pick<Definition, "name" | "title" | "proves"> &
    Required<Pick<PurchaseOver, "localAmount" | "localCurrency">>,
): Definition {
  const { localAmount, localCurrency, ...rest } = definition;
  return {
    ...rest,
    weight: "contract",
    needs: ["money"],
    mend: rawNumbers,
    run: async (bench) =>
      yesTo(`local_amount ${localAmount} ${localCurrency}`, await knock(bench, { localAmount, localCurrency })),
  };
}

/** Minor units whose hundredfold as a floating point number is not the whole number that it should be (0.29 * 100 < 29). */
const awkward = [29n, 57n, 58n, 113n, 115n, 201n, 435n] as const;

export const amountChecks: readonly Check[] = checksOf("amounts", [
  ledgerCheck({
    name: "zero",
    title: "Approves an account verification of 0 and holds nothing",
    proves: "Wallets and subscriptions can check that the card is good.",
    mend: "Approve an Auth with amount 0 when the card is good, without a hold.",
    weight: "contract",
    play: async (desk) => {
      const answer = await desk.ask(desk.purchase({ amount: 0n }));
      return { taken: 0n, refused: firstRefused({ "an amount of 0": answer }) };
    },
  }),
  ledgerCheck({
    name: "tiny",
    title: "Holds 0.01 for a purchase of 0.01",
    proves: "The smallest amount is neither lost nor rounded up.",
    mend: "Keep amounts as whole cents.",
    precision: "exact",
    play: async (desk) => {
      const purchase = desk.purchase({ amount: 1n });
      return { taken: 1n, refused: firstRefused({ "an amount of 0.01": await desk.ask(purchase) }) };
    },
  }),
  ledgerCheck({
    name: "cents",
    title: "Holds awkward amounts to the cent",
    proves: "Amounts like 0.29 or 1.15, which floating point cannot hold, are not a cent off.",
    mend: "Read the number's text into whole cents or a decimal type; 0.29 * 100 is 28.999999999999996.",
    precision: "exact",
    play: async (desk) => {
      const purchases: readonly Purchase[] = awkward.map((amount) => desk.purchase({ amount }));
      for (const purchase of purchases) {
        const refused = firstRefused({ [`an amount of ${money(purchase.amount)}`]: await desk.ask(purchase) });
        if (refused !== null) {
          return { taken: 0n, refused };
        }
      }
      return { taken: awkward.reduce((sum, amount) => sum + amount, 0n) };
    },
  }),
  {
    name: "large",
    title: "Answers a purchase of 9,999,999.99 properly",
    weight: "money",
    mode: "AUTHORIZATION",
    needs: ["books"],
    proves: "A large amount does not overflow into a small one, or into an error.",
    mend: "Keep amounts in 64 bits or a decimal type; 999,999,999 cents are the most that this asks about.",
    run: async ({ desk, books }) => {
      const answer = await desk.ask(desk.purchase({ amount: beyondMoney }));
      const right = (books.available ?? 0n) >= beyondMoney ? "yes" : "no";
      return meaningOf(answer) === right ? passed(shown(answer)) : failed(`9,999,999.99 was answered ${shown(answer)}`);
    },
  },
  foreign({
    name: "three-decimals",
    title: "Takes a local amount with three decimals",
    proves: "Purchases in Kuwait, Bahrain and Oman are recognised as genuine and answered.",
    localAmount: 0.305,
    localCurrency: "KWD",
  }),
  foreign({
    name: "no-decimals",
    title: "Takes a local amount without decimals",
    proves: "Purchases in Japan and Korea are recognised as genuine and answered.",
    localAmount: 1000,
    localCurrency: "JPY",
  }),
  foreign({
    name: "many-digits",
    title: "Takes a local amount of ten million and more",
    proves: "Your JSON library does not write large numbers as 1.2345678E7 before you check the signature.",
    localAmount: 12_345_678.5,
    localCurrency: "IDR",
  }),
  {
    name: "after-decline",
    title: "Approves a small purchase after a large one was declined",
    weight: "money",
    mode: "AUTHORIZATION",
    needs: ["books"],
    proves: "A declined purchase leaves no hold behind.",
    mend: "Hold only what you approve.",
    run: async ({ desk, books }) => {
      const declined = await desk.ask(desk.purchase({ amount: (books.available ?? beyondMoney) + 100n }));
      const answer = await desk.ask(desk.purchase());
      return isYes(answer) && !isYes(declined)
        ? passed(shown(answer))
        : failed(`${shown(declined)}; then ${shown(answer)}`);
    },
  },
]);
