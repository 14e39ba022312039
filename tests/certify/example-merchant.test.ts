import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { certify, type Mode } from "@cardwright/certify";
import { type ExampleMerchant, startExampleMerchant } from "@cardwright/example-merchant";
import { afterEach, expect, test } from "vitest";
import {
  type Answer,
  credentials,
  type SeenCall,
  startSmallPlatform,
} from "../../examples/merchant/test/small-platform.ts";

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) {
    await cleanUp();
  }
});

/** The platform's API, as far as the merchant needs it to have a user with a card. */
function platformAnswer({ call, body }: SeenCall): Answer {
  switch (call) {
    case "GET /merchant/token":
      return { data: { access_token: "token", expired_time: Date.now() + 86_400_000 } };
    case "POST /simulator/share-tokens":
      return { raw: JSON.stringify({ token: "approve-1" }) };
    case "POST /cardholder/apply":
      return { data: { cardholder_no: "U1", cardholder_unique_no: body["cardholder_unique_no"] } };
    case "GET /cardholder/U1/info":
      return { data: { cardholder_no: "U1", status: "Approved" } };
    case "POST /card/apply":
      return { data: { card_no: "C1", card_unique_no: body["card_unique_no"] } };
    case "GET /card/C1/detail":
      return { data: { card_no: "C1", status: "Activated", card_last_no: "4242" } };
    case "POST /account/transfer":
      return { data: { transfer_no: "T1" } };
    default:
      throw new Error(`unexpected ${call}`);
  }
}

async function call(merchant: ExampleMerchant, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const json: unknown = await (await fetch(merchant.url + path, init)).json();
  return Object.fromEntries(Object.entries(json ?? {}));
}

/** The example merchant for real, with a user who has 130.37 and a card. */
async function merchantWithCard(mode: Mode): Promise<{ merchant: ExampleMerchant; userPath: string }> {
  const folder = mkdtempSync(join(tmpdir(), "certify-"));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  const platform = await startSmallPlatform(platformAnswer);
  cleanUps.push(platform.close);
  const merchant = await startExampleMerchant({
    ...credentials,
    port: 0,
    database: join(folder, "merchant.db"),
    platformUrl: platform.url,
    apiKey: "key",
    mode,
    cardProduct: "product",
    kycUrl: platform.url,
  });
  cleanUps.push(() => merchant.close());
  const user = await call(merchant, "/users", { name: "Ada Lovelace", email: "ada@example.com", balance: "130.37" });
  const userPath = `/users/${String(user["id"])}`;
  await call(merchant, `${userPath}/cards`, { type: "Virtual" });
  return { merchant, userPath };
}

test.each(["AUTHORIZATION", "CREDIT_EXTENSION"] as const)(
  "the example merchant has grade A in %s mode, and its test card ends as it began",
  { timeout: 180_000 },
  async (mode) => {
    const { merchant, userPath } = await merchantWithCard(mode);
    const report = await certify({
      url: merchant.callbackUrl,
      ...credentials,
      mode,
      cardNo: "C1",
      cardholderNo: "U1",
      rates: [30],
      deadlineMs: 5_000,
      pace: { idleMs: 200, burstQuestions: 32, steadySecondsEach: 1 },
    });
    expect(report.checks.filter(({ ok }) => ok === false)).toEqual([]);
    expect(report).toMatchObject({ grade: "A", failed: 0, leftOpen: 0 });
    expect(report.passed).toBeGreaterThanOrEqual(35);
    const account = await call(merchant, userPath);
    expect(account).toMatchObject({ balance: "130.37", held: "0.00", available: "130.37" });
  },
);
