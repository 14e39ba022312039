import { type Bench, type Check, failed, type Group, passed, type Verdict } from "../check.ts";
import type { PurchaseOver } from "../desk.ts";
import { declinedNews } from "../preparation.ts";
import { type Answer, isYes, shown } from "../wire/answer.ts";

export type Definition = Omit<Check, "id" | "group"> & { readonly name: string };

/** Checks of one group; their ids are `group.name`. */
export function checksOf(group: Group, definitions: readonly Definition[]): readonly Check[] {
  return definitions.map(({ name, ...definition }) => ({ id: `${group}.${name}`, group, ...definition }));
}

/**
 * Something that every merchant must say yes to: in authorization mode a purchase that the card's money covers, in credit mode the
 * news of one that the platform has declined.
 */
export async function knock({ desk }: Bench, over: PurchaseOver = {}): Promise<Answer> {
  const purchase = desk.purchase(over);
  return desk.run.settings.mode === "AUTHORIZATION"
    ? await desk.ask(purchase)
    : await desk.tell(purchase, declinedNews);
}

/** `what`: the subject of the sentence when it was answered otherwise. */
export function yesTo(what: string, answer: Answer): Verdict {
  return isYes(answer) ? passed(shown(answer)) : failed(`${what}: ${shown(answer)}`);
}

/** The next request after something that a bad server may not survive. */
export async function stillWorks(bench: Bench, before: string): Promise<Verdict> {
  const answer = await knock(bench);
  return isYes(answer)
    ? passed(`${before}; the next one: ${shown(answer)}`)
    : failed(`${before}; the next one: ${shown(answer)}`);
}
