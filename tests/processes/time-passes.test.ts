import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { endAll, newSecrets, type PlatformProcess, runPlatform } from "../support/processes.ts";
import { type CardMerchant, enrolWithCard, postJson } from "../support/sandbox-merchant.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const secrets = newSecrets();

let db: TestDatabase;
let platform: PlatformProcess;
let merchant: CardMerchant;

beforeAll(async () => {
  db = await createTestDatabase();
  platform = await runPlatform({ ...secrets, DATABASE_URL: db.url, CARDWRIGHT_ROLE: "all" });
  const desk = { apiUrl: platform.api, adminToken: secrets.ADMIN_TOKEN };
  merchant = await enrolWithCard({ desk, kycUrl: platform.kycSimulator, mode: "AUTHORIZATION" });
});

afterAll(async () => {
  await merchant.close();
  await endAll();
  await db.drop();
});

const headers = (): Record<string, string> => ({ "Api-Key": merchant.account.apiKey });

test("a year that passes in one call ends the holds on the way, and the merchant has been told when the call is answered", async () => {
  expect(await merchant.buy("10.00")).toMatchObject({ approved: true });
  const before = Date.now();
  const moved = await postJson(`${platform.api}/sandbox/clock`, headers(), { advance: "P1Y" });
  expect(moved).toMatchObject({ status: 200, json: { finished: true } });
  const told = merchant.listener.callbacks().filter(({ action }) => action === "Consumption");
  const expired = told.find(({ data }) => data["remark"] === "expired");
  const weekMs = 7 * 86_400_000;
  expect(Number(expired?.data["time"]) - before).toBeGreaterThan(weekMs - 60_000);
  expect(Number(expired?.data["time"]) - before).toBeLessThan(weekMs + 60_000);
});
