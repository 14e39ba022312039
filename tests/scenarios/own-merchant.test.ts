import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createProgramme, enrolMerchant, type OperatorDesk, setCallbackUrl } from "../../scripts/sandbox/enrol.ts";
import type { SandboxMerchant } from "../../scripts/sandbox/settings.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { becomes, endAll, newSecrets, type PlatformProcess, runPlatform } from "../support/processes.ts";
import {
  type CallbackListener,
  getJson,
  type JsonAnswer,
  listenForCallbacks,
  postJson,
} from "../support/sandbox-merchant.ts";

/** A merchant plays scenarios on itself, with its own server and a life of its own. */

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let db: TestDatabase;
let platform: PlatformProcess;
let credit: SandboxMerchant;
let authorization: SandboxMerchant;
let listener: CallbackListener;

beforeAll(async () => {
  db = await createTestDatabase();
  const secrets = newSecrets();
  platform = await runPlatform({ ...secrets, DATABASE_URL: db.url });
  const desk: OperatorDesk = { apiUrl: platform.api, adminToken: secrets.ADMIN_TOKEN };
  const programme = await createProgramme(desk);
  credit = await enrolMerchant(desk, { name: "Credit", mode: "CREDIT_EXTENSION", programme });
  authorization = await enrolMerchant(desk, { name: "Authorization", mode: "AUTHORIZATION", programme });
  listener = await listenForCallbacks();
  for (const { merchantNo } of [credit, authorization]) {
    await setCallbackUrl(desk, { merchantNo, callbackUrl: listener.url });
  }
});

afterAll(async () => {
  await listener.close();
  await endAll();
  await db.drop();
});

const path = (rest: string) => `${platform.api}/sandbox/v1/scenarios${rest}`;
const start = (merchant: SandboxMerchant, name: string): Promise<JsonAnswer> =>
  postJson(path(`/${name}`), { "Api-Key": merchant.apiKey }, {});
const look = (merchant: SandboxMerchant, runId: unknown): Promise<JsonAnswer> =>
  getJson(path(`/runs/${String(runId)}`), { "Api-Key": merchant.apiKey });

async function play(merchant: SandboxMerchant, name: string): Promise<JsonAnswer["json"]> {
  const started = await start(merchant, name);
  expect([started.status, started.json]).toEqual([202, expect.objectContaining({ name, state: "running", step: 0 })]);
  const runId = started.json["run_id"];
  await becomes("the run is over", async () => (await look(merchant, runId)).json["state"] !== "running");
  return (await look(merchant, runId)).json;
}

const fault = (code: string) => ({ error: expect.objectContaining({ code }) });

test("a merchant plays a scenario on itself and hears its callbacks, whatever reserve it has", async () => {
  const run = await play(credit, "purchase-approved");
  expect(run).toMatchObject({ state: "passed", step: 1, steps: 1, differences: [], ended_at: expect.any(Number) });
  const told = listener.callbacks().filter(({ action }) => action === "Consumption");
  expect(told.map(({ data }) => [data["amount"], data["fee"], data["status"]])).toEqual([[100, 5, "Pending"]]);
});

test("in authorization mode its own server is asked, and the clock is moved as the script says", async () => {
  const before = listener.callbacks().length;
  expect(await play(authorization, "hold-expires")).toMatchObject({ state: "passed", step: 3, differences: [] });
  const more = listener.callbacks().slice(before);
  expect(more.filter(({ action }) => action === "Auth")).toHaveLength(1);
  await becomes("the expiry is told", () => listener.callbacks().some(({ data }) => data["remark"] === "expired"));
});

test("one at a time for each merchant, and only what leaves its settings alone", async () => {
  const first = await start(credit, "card-frozen");
  expect(first.status).toBe(202);
  const second = await start(credit, "purchase-approved");
  expect([second.status, second.json]).toEqual([409, fault("scenario_under_way")]);
  const other = await look(authorization, first.json["run_id"]);
  expect([other.status, other.json]).toEqual([404, fault("run_unknown")]);
  for (const [name, status, code] of [
    ["no-such-scenario", 404, "scenario_unknown"],
    ["merchant-declines", 409, "scenario_of_other_mode"],
  ] as const) {
    const refused = await start(credit, name);
    expect([refused.status, refused.json]).toEqual([status, fault(code)]);
  }
  await becomes("the first is over", async () => (await look(credit, first.json["run_id"])).json["state"] === "passed");
  const list = await getJson(path(""), { "Api-Key": credit.apiKey });
  expect(list.json["list"]).toContainEqual(
    expect.objectContaining({ name: "purchase-declined-credit", modes: ["credit"], startable: true }),
  );
  expect(JSON.stringify(list.json)).not.toContain("merchant-declines");
  expect((await getJson(path(""))).status).toBe(401);
});

test.each([
  ["credit mode", () => credit],
  ["authorization mode", () => authorization],
] as const)("a scenario of several cards is played on a merchant's own sandbox in %s", async (_, merchantOf) => {
  const run = await play(merchantOf(), "two-cards-one-cardholder");
  expect(run).toMatchObject({ state: "passed", differences: [] });
});

test.each([
  ["credit-policy-ratio", () => credit, ["changes_settings"], "changes the merchant's settings"],
  ["settlement-day", () => credit, ["acts_as_operator"], "acts as the operator"],
  ["restart-keeps-holds", () => credit, ["restarts_platform"], "restarts the platform"],
  ["callbacks-retried", () => credit, ["directs_server"], "tells the merchant's server"],
  ["reserve-empty", () => credit, ["exact_reserve"], "a reserve that is exactly so"],
  [
    "stand-in-by-policy",
    () => authorization,
    ["changes_settings", "directs_server"],
    "changes the merchant's settings",
  ],
] as const)(
  "%s is refused on a merchant's own sandbox, with the reason",
  async (name, merchantOf, because, sentence) => {
    const refused = await start(merchantOf(), name);
    expect([refused.status, refused.json]).toEqual([
      409,
      { error: { code: "scenario_needs_fresh_merchant", message: expect.stringContaining(sentence), field: "" } },
    ]);
    const list = await getJson(path(""), { "Api-Key": merchantOf().apiKey });
    expect(list.json["list"]).toContainEqual(
      expect.objectContaining({ name, startable: false, not_startable_because: because }),
    );
  },
);
