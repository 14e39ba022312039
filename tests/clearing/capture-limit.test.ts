import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openProgramme, type Programme, presentmentWith, type ReadyCard, reversalOf } from "../support/programme.ts";
import { authorized, modes, mustBeClean, reversed } from "./books.ts";

/** More than is authorized at present is flagged, whatever was approved first. */
let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterEach(async () => {
  await mustBeClean(programme);
});

afterAll(() => programme.close());

async function effectsOf(card: ReadyCard, originalReference: string, amounts: readonly string[]): Promise<string[]> {
  const effects: string[] = [];
  for (const amount of amounts) {
    const { effect } = await programme.clearing.clear(presentmentWith(card, amount, { originalReference }));
    effects.push(effect);
  }
  return effects;
}

for (const mode of modes) {
  test(`after a partial reversal no more than what it has left may be cleared (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const lowered = async (): Promise<string> => {
      const { originalReference } = await authorized(programme, card, "100.00");
      await reversed(programme, reversalOf(card, originalReference, { amount: "40.00" }));
      return originalReference;
    };
    expect(await effectsOf(card, await lowered(), ["80.00"])).toEqual(["over_captured"]);
    expect(await effectsOf(card, await lowered(), ["60.00"])).toEqual(["cleared"]);
    expect(await effectsOf(card, await lowered(), ["50.00", "10.00", "0.01"])).toEqual([
      "cleared",
      "cleared_late",
      "over_captured",
    ]);
  });

  test(`final clearings that add up to the authorization are not too much, one cent beyond is (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference } = await authorized(programme, card, "100.00");
    expect(await effectsOf(card, originalReference, ["50.00", "50.00", "0.01"])).toEqual([
      "cleared",
      "cleared_late",
      "over_captured",
    ]);
  });

  test(`what increments have added may be cleared as well (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference } = await authorized(programme, card, "100.00");
    await authorized(programme, card, "50.00", { incrementOf: originalReference });
    expect(await effectsOf(card, originalReference, ["120.00", "30.00", "0.01"])).toEqual([
      "cleared",
      "cleared_late",
      "over_captured",
    ]);
  });
}
