import { createCallbacks } from "@cardwright/sdk";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { credentials, purchaseData, signedCallback } from "../test/small-platform.ts";
import { createCallbackReceiver } from "./callbacks.ts";
import { type Database, openDatabase } from "./database.ts";
import { readState } from "./state.ts";
import type { Mode } from "./users.ts";

const nowMs = 1_716_307_200_000;

/** A user with 100.00 and one card. */
function merchant(mode: Mode = "AUTHORIZATION") {
  const db = openDatabase(":memory:");
  db.run(`INSERT INTO users VALUES ('ada', 'Ada', 'ada@example.com', 'Active', 'U1', 'Approved', 10000, 0, 0)`);
  db.run(`INSERT INTO cards VALUES ('C1', 'c-1', 'ada', 'Virtual', '4242', 'Activated', 0)`);
  const now = (): number => nowMs;
  const receive = createCallbackReceiver({ db, mode, callbacks: createCallbacks({ ...credentials, now }), now });
  const send = async (id: string, action: string, told: Record<string, unknown>) => {
    const data = action === "Auth" || action === "Consumption" ? purchaseData(action, told) : told;
    const { headers, body } = await signedCallback({ id, action, data, nowMs });
    const answer = await receive({ headers, body: Buffer.from(body) });
    const json: { code: number; message: string; reason?: string } = JSON.parse(answer.body);
    return json;
  };
  return { db, send };
}

function purchase(over: Record<string, unknown> = {}): Record<string, unknown> {
  return { time: nowMs, ...over };
}

function balances(db: Database): string {
  const [user] = readState(db).users;
  return `${user?.["balance"]} held ${user?.["held"]}`;
}

test("an approved purchase is held, then taken with its fee", async () => {
  const { db, send } = merchant();
  expect(await send("1", "Auth", purchase())).toEqual({ code: 0, message: "" });
  expect(balances(db)).toBe("100.00 held 40.00");
  await send("2", "Consumption", purchase({ fee: 2.05 }));
  expect(balances(db)).toBe("100.00 held 42.05");
  await send("3", "Consumption", purchase({ fee: 2.05, status: "Success", time: nowMs + 1 }));
  expect(balances(db)).toBe("57.95 held 0.00");
});

test("a purchase beyond the available balance is declined and holds nothing", async () => {
  const { db, send } = merchant();
  await send("1", "Auth", purchase({ amount: 60.01 }));
  expect(await send("2", "Auth", purchase({ consume_no: "O2" }))).toMatchObject({
    code: 5101,
    reason: "insufficient_funds",
  });
  expect(balances(db)).toBe("100.00 held 60.01");
  expect(await send("3", "Auth", purchase({ consume_no: "O3", amount: 39.99 }))).toMatchObject({ code: 0 });
  expect(balances(db)).toBe("100.00 held 100.00");
});

test("an Auth that comes again gets the same answer, also when the balance has changed since", async () => {
  const { db, send } = merchant();
  const no = await send("1", "Auth", purchase({ amount: 100.01 }));
  db.run("UPDATE users SET balance = 1000000");
  expect(await send("2", "Auth", purchase({ amount: 100.01 }))).toEqual(no);
  const yes = await send("3", "Auth", purchase({ consume_no: "O2", amount: 10_000 }));
  expect(await send("3", "Auth", purchase({ consume_no: "O2", amount: 10_000 }))).toEqual(yes);
  expect(balances(db)).toBe("10000.00 held 10000.00");
});

test("a frozen user, an unknown card and someone else's card are declined", async () => {
  const { db, send } = merchant();
  expect(await send("1", "Auth", purchase({ card_no: "C9" }))).toMatchObject({ code: 5103 });
  expect(await send("2", "Auth", purchase({ consume_no: "O2", cardholder_no: "U9" }))).toMatchObject({ code: 5103 });
  db.run("UPDATE users SET status = 'Frozen'");
  expect(await send("3", "Auth", purchase({ consume_no: "O3" }))).toMatchObject({ code: 5102, reason: "user_frozen" });
  expect(balances(db)).toBe("100.00 held 0.00");
});

test("an Auth that arrives after the platform gave up on it holds nothing", async () => {
  const { db, send } = merchant();
  await send("1", "Consumption", purchase({ status: "Fail", remark: "merchant_timeout" }));
  expect(await send("2", "Auth", purchase())).toMatchObject({ code: 5104 });
  expect(balances(db)).toBe("100.00 held 0.00");
});

test("a question of amount 0 only asks for the card and is approved with an empty balance", async () => {
  const { db, send } = merchant();
  db.run("UPDATE users SET balance = -5");
  expect(await send("1", "Auth", purchase({ amount: 0 }))).toMatchObject({ code: 0 });
});

test("a purchase that fails releases its hold and costs the fee for failing only", async () => {
  const { db, send } = merchant();
  await send("1", "Auth", purchase());
  await send("2", "Consumption", purchase({ status: "Fail", fee: 0.3, remark: "expired", time: nowMs + 1 }));
  expect(balances(db)).toBe("99.70 held 0.00");
});

test("a refund gives back once, less its fee, however often it is told", async () => {
  const { db, send } = merchant();
  const refund = purchase({
    consume_no: "O2",
    consume_relate_no: "O1",
    type: "Refund",
    amount: 15,
    fee: 0.5,
    status: "Success",
  });
  await send("1", "Consumption", purchase({ status: "Success" }));
  for (const id of ["2", "2", "3"]) expect(await send(id, "Consumption", refund)).toEqual({ code: 0, message: "" });
  expect(balances(db)).toBe("74.50 held 0.00");
});

test("reversing a hold gives back once, though the original fails and the reversal is told as well", async () => {
  const { db, send } = merchant();
  await send("1", "Auth", purchase());
  await send(
    "2",
    "Consumption",
    purchase({ consume_no: "O2", consume_relate_no: "O1", type: "Reversal", status: "Success", time: nowMs + 1 }),
  );
  await send("3", "Consumption", purchase({ status: "Fail", remark: "reversed", time: nowMs + 1 }));
  expect(balances(db)).toBe("100.00 held 0.00");
});

test("reversing a purchase that was cleared before gives its amount back", async () => {
  const { db, send } = merchant();
  await send("1", "Consumption", purchase({ status: "Success" }));
  await send(
    "2",
    "Consumption",
    purchase({
      consume_no: "O2",
      consume_relate_no: "O1",
      type: "Reversal",
      amount: 10,
      status: "Success",
      time: nowMs + 1,
    }),
  );
  expect(balances(db)).toBe("70.00 held 0.00");
});

test("in credit mode bookings alone mirror what the platform holds and takes, and Auth is not answered", async () => {
  const { db, send } = merchant("CREDIT_EXTENSION");
  expect((await send("1", "Auth", purchase())).code).not.toBe(0);
  await send("2", "Consumption", purchase({ fee: 1 }));
  expect(balances(db)).toBe("100.00 held 41.00");
  await send("3", "Consumption", purchase({ fee: 1, status: "Success", time: nowMs + 1 }));
  expect(balances(db)).toBe("59.00 held 0.00");
});

test("pushes in any order, each any number of times, end in the same balance", async () => {
  const story: [string, Record<string, unknown>][] = [
    ["1", purchase({ fee: 2 })],
    ["2", purchase({ amount: 30, fee: 1.5, time: nowMs + 10 })],
    ["3", purchase({ amount: 31.25, fee: 1.56, status: "Success", time: nowMs + 20 })],
    ["4", purchase({ amount: 31.25, fee: 1.57, status: "Success", time: nowMs + 30 })],
    [
      "5",
      purchase({
        consume_no: "O2",
        consume_relate_no: "O1",
        type: "Reversal",
        amount: 10,
        status: "Success",
        time: nowMs + 9,
      }),
    ],
    [
      "6",
      purchase({
        consume_no: "O3",
        consume_relate_no: "O1",
        type: "Reversal",
        amount: 5,
        status: "Success",
        time: nowMs + 25,
      }),
    ],
    [
      "7",
      purchase({
        consume_no: "O4",
        consume_relate_no: "O1",
        type: "Refund",
        amount: 2.5,
        status: "Success",
        time: nowMs + 40,
      }),
    ],
    ["8", purchase({ consume_no: "O5", type: "Atm", amount: 20, time: nowMs + 1 })],
    ["9", purchase({ consume_no: "O5", type: "Atm", amount: 20, status: "Fail", remark: "expired", time: nowMs + 50 })],
  ];
  const told = [...story, ...story];
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(told, { minLength: told.length }), async (pushes) => {
      const { db, send } = merchant();
      for (const [id, data] of pushes) expect((await send(id, "Consumption", data)).code).toBe(0);
      // 100 - 31.25 - 1.57 + 5 (reversed after it was cleared) + 2.50 refunded.
      expect(balances(db)).toBe("74.68 held 0.00");
      expect(readState(db).callbacks.outcomes["repeated"]).toBe(story.length);
      db.close();
    }),
    { numRuns: 30 },
  );
});

test("an old push sent again under the id of a coming one does not keep the coming one out", async () => {
  const { db, send } = merchant();
  await send("2", "Consumption", purchase());
  await send("2", "Consumption", purchase({ status: "Success", time: nowMs + 1 }));
  expect(balances(db)).toBe("60.00 held 0.00");
});

test("a push about a cardholder we do not know is not accepted, and booked when it comes again", async () => {
  const { db, send } = merchant();
  db.run("UPDATE users SET cardholder_no = NULL");
  expect((await send("1", "Consumption", purchase({ status: "Success" }))).code).toBe(500);
  db.run("UPDATE users SET cardholder_no = 'U1'");
  expect((await send("1", "Consumption", purchase({ status: "Success" }))).code).toBe(0);
  expect(balances(db)).toBe("60.00 held 0.00");
});

const wrongEverywhere = [
  { amount: -1 },
  { amount: 1.005 },
  { amount: "40" },
  { status: "Done" },
  { type: "Gift" },
  { time: "soon" },
  { consume_no: 7 },
];

test.each(wrongEverywhere)("a question with %o is not as agreed and holds nothing", async (wrong) => {
  const { db, send } = merchant();
  expect(await send("1", "Auth", purchase(wrong))).toMatchObject({ code: 400 });
  expect(balances(db)).toBe("100.00 held 0.00");
  expect(readState(db).callbacks).toMatchObject({ verified: 1, outcomes: { not_as_agreed: 1 } });
});

test.each([...wrongEverywhere, { fee: -1 }])("a push with %o is not as agreed and books nothing", async (wrong) => {
  const { db, send } = merchant();
  expect([400, 500]).toContain((await send("1", "Consumption", purchase(wrong))).code);
  expect(balances(db)).toBe("100.00 held 0.00");
  expect(readState(db).callbacks).toMatchObject({ verified: 1, outcomes: { not_as_agreed: 1 } });
});

test("a card's status follows the latest Card_update, also for a card that we have not stored yet", async () => {
  const { db, send } = merchant();
  const update = (card: string, after: string, time: number) => ({
    card_no: card,
    before_status: "Activated",
    after_status: after,
    reason: "",
    time,
  });
  await send("1", "Card_update", update("C1", "Frozen", nowMs + 2));
  await send("2", "Card_update", update("C1", "Activated", nowMs + 1));
  await send("3", "Card_update", update("C2", "Activated", nowMs));
  const cards = readState(db).cards.map((card) => `${card["card_no"]} ${card["status"]}`);
  expect(cards).toEqual(["C2 Activated", "C1 Frozen"]);
});

test("an action that is new to us is accepted and ignored", async () => {
  const { db, send } = merchant();
  expect(await send("1", "Card_shipped", { card_no: "C1" })).toEqual({ code: 0, message: "" });
  expect(readState(db).callbacks).toEqual({ received: 1, verified: 1, refused: 0, outcomes: { ignored: 1 } });
});
