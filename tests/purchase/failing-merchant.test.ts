import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MerchantAnswer } from "../../apps/server/src/authorization/index.ts";
import {
  answerNo,
  answerYes,
  openProgramme,
  type Programme,
  purchaseWith,
  type ReadyCard,
} from "../support/programme.ts";

let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterAll(() => programme.close());

/** Until it is let go, nothing can be decided about this card. */
async function blockCard({ cardNo }: ReadyCard): Promise<{ release(): Promise<void> }> {
  const client = await programme.db.ownerPool.connect();
  await client.query("BEGIN");
  await client.query("SELECT 1 FROM card WHERE card_no = $1 FOR UPDATE", [cardNo]);
  return {
    release: async () => {
      await client.query("ROLLBACK");
      client.release();
    },
  };
}

/** Statements that wait for another one's lock. */
async function waitingStatements(): Promise<number> {
  const { rows } = await programme.db.ownerPool.query(
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  );
  return rows.length;
}

test("a merchant that did not answer does not keep another one from a lane; one that said no does, until its statement is done", async () => {
  const [failing, healthy] = [
    await programme.issueCard({ mode: "AUTHORIZATION", reserve: "1000.00" }),
    await programme.issueCard({ mode: "AUTHORIZATION", reserve: "1000.00" }),
  ];
  let answer: MerchantAnswer = { kind: "timeout" };
  const engine = programme.another({
    ask: async ({ merchantId }) => (merchantId === failing.merchantId ? answer : answerYes),
    isFailing: (merchantId) => merchantId === failing.merchantId && answer.kind === "timeout",
  });
  const buy = (card: ReadyCard) => engine.authorize(purchaseWith(card, "10.00"));
  const blocked = async (buyer: ReadyCard) => {
    const block = await blockCard(failing);
    const waiting = buy(failing);
    await expect.poll(waitingStatements, { timeout: 10_000 }).toBe(1);
    return { block, waiting, other: buy(buyer) };
  };

  expect(await buy(failing)).toMatchObject({ reason: "merchant_timeout" });
  const beside = await blocked(healthy);
  expect(await beside.other).toMatchObject({ approved: true });
  await beside.block.release();
  expect(await beside.waiting).toMatchObject({ reason: "merchant_timeout" });

  answer = answerNo;
  expect(await buy(failing)).toMatchObject({ reason: "merchant_declined" });
  const behind = await blocked(healthy);
  expect(await Promise.race([behind.other, sleep(300, "not decided yet")])).toBe("not decided yet");
  await behind.block.release();
  expect(await behind.waiting).toMatchObject({ reason: "merchant_declined" });
  expect(await behind.other).toMatchObject({ approved: true });
  expect((await programme.verify()).broken).toEqual([]);
});
