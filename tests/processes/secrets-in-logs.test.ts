import { createCipheriv, createDecipheriv } from "node:crypto";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { becomes, type Ended, endAll, newSecrets, type PlatformProcess, runPlatform } from "../support/processes.ts";
import { type CardMerchant, enrolWithCard, type JsonAnswer, postJson } from "../support/sandbox-merchant.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const secrets = newSecrets();
const pin = "135790";

let db: TestDatabase;
let platform: PlatformProcess;
let merchant: CardMerchant;
/** What may be in no log, by the name under which a failing test shows it. */
const unspeakable = new Map<string, string>();
let accessToken = "";
let cardholderNo = "";
let output: Ended;

beforeAll(async () => {
  db = await createTestDatabase();
  platform = await runPlatform({ ...secrets, DATABASE_URL: db.url, LOG_LEVEL: "debug" });
  const desk = { apiUrl: platform.api, adminToken: secrets.ADMIN_TOKEN };
  merchant = await enrolWithCard({ desk, kycUrl: platform.kycSimulator, mode: "AUTHORIZATION" });
  const { apiKey, apiSecret, webhookSecret } = merchant.account;
  if (webhookSecret === undefined) throw new Error("the merchant was enrolled without a webhook secret");
  for (const [name, value] of Object.entries({ ...secrets, apiKey, apiSecret, webhookSecret })) {
    unspeakable.set(name, value.replace(/^(?:test:|whsec_)/u, ""));
  }
  unspeakable.set("the database's password", new URL(db.url).password);
  unspeakable.set("the cardholder's e-mail", "ada@example.com");
});

afterAll(async () => {
  await merchant.close();
  await endAll();
  await db.drop();
});

async function call(path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>> {
  const headers = {
    "Api-Key": merchant.account.apiKey,
    "Access-Token": accessToken,
    Timestamp: String(Date.now()),
    "Content-Type": "application/json",
  };
  const answer = await fetch(`${platform.api}/open-api/v1${path}`, {
    headers,
    ...(body === undefined ? {} : { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const envelope: unknown = await answer.json();
  return typeof envelope === "object" && envelope !== null ? Object.fromEntries(Object.entries(envelope)) : {};
}

/** `data` of an answer that must be a success. */
async function dataOf(path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>> {
  const answer = await call(path, body);
  expect(answer).toMatchObject({ code: 0 });
  const { data } = answer;
  return typeof data === "object" && data !== null ? Object.fromEntries(Object.entries(data)) : { text: data };
}

const sandbox = (path: string, body: unknown = {}): Promise<JsonAnswer> =>
  postJson(`${platform.api}/sandbox/v1${path}`, { "Api-Key": merchant.account.apiKey }, body);

/** AES/ECB/PKCS5Padding in Base64 (contract section 6). */
function encrypt(plain: string): string {
  const cipher = createCipheriv("aes-256-ecb", merchant.account.apiSecret, null);
  return Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]).toString("base64");
}

function decrypt(cipherText: string): string {
  const decipher = createDecipheriv("aes-256-ecb", merchant.account.apiSecret, null);
  return Buffer.concat([decipher.update(cipherText, "base64"), decipher.final()]).toString("utf8");
}

async function printedOn(cardNo: string): Promise<{ readonly pan: string; readonly cvv: string }> {
  const { text } = await dataOf(`/card/${cardNo}/private/info`);
  const { pan, cvv }: { pan: string; cvv: string } = JSON.parse(decrypt(String(text)));
  return { pan, cvv };
}

/** A physical card through everything that touches a secret. */
async function lifeOfACard(): Promise<void> {
  const person = { first_name: "Ada", last_name: "Lovelace", phone_code: "44", phone: "2079460000" };
  const home = { postal_code: "SW1A 1AA", country: "GB", state: "London", city: "London", address_line1: "1 The Mall" };
  const { card_no: cardNo } = await dataOf("/card/apply", {
    card_bin_no: merchant.account.productNo,
    cardholder_no: cardholderNo,
    card_unique_no: "physical-1",
    card_type: "Physical",
    address_info: { ...person, ...home },
  });
  const card = String(cardNo);
  await becomes("the card is made", async () => (await dataOf(`/card/${card}/detail`))["status"] === "ToActivate");
  const { pan, cvv } = await printedOn(card);
  unspeakable.set("a physical card's number", pan);
  unspeakable.set("its CVV in JSON", `"${cvv}"`);
  const last = pan.slice(-4);
  const wrongCvv = encrypt(cvv === "000" ? "001" : "000");
  expect(await call("/card/active", activation(card, { cvv: wrongCvv, last }))).toMatchObject({ code: 4008 });
  await dataOf("/card/active", activation(card, { cvv: encrypt(cvv), last }));
  unspeakable.set("the CVV's cipher text", encrypt(cvv));
  await dataOf("/card/pin/set", { card_no: card, cardholder_no: cardholderNo, pin: encrypt(pin) });
  unspeakable.set("the PIN", pin);
  unspeakable.set("the PIN's cipher text", encrypt(pin));
  const plainPin = await call("/card/pin/set", { card_no: card, cardholder_no: cardholderNo, pin });
  expect(plainPin).toMatchObject({ code: 4014 });
  const client = await dataOf(`/merchant/client/${card}/token`);
  unspeakable.set("a client token", String(client["client_access_token"]));
}

const activation = (cardNo: string, given: { readonly cvv: string; readonly last: string }) => ({
  cardholder_no: cardholderNo,
  card_no: cardNo,
  cvv: given.cvv,
  card_last_no: given.last,
});

/** What is refused for its form often carries the most. */
async function malformedCalls(): Promise<void> {
  const pan = unspeakable.get("a virtual card's number") ?? "";
  const message = { network_reference: "r-1", pan, kind: "purchase", amount: "1.00", currency: "USD" };
  const network = { Authorization: `Bearer ${secrets.NETWORK_TOKEN}` };
  const front = `${platform.network}/network/v1/authorizations`;
  expect(await postJson(front, network, message)).toMatchObject({ status: 400 });
  expect(await postJson(front, network, { ...message, [pan]: pan })).toMatchObject({ status: 400 });
  expect(await postJson(front, { Authorization: `Bearer ${pan}` }, message)).toMatchObject({ status: 401 });
  expect(await call(`/card/${pan}/detail`)).toMatchObject({ code: 4001 });
  expect(await call("/card/pin/set", `{"pin":"${pin}",`)).toMatchObject({ code: 1004 });
  expect(await call("/card/pin/set", { pin: Number(pin) })).toMatchObject({ code: expect.any(Number) });
  const shareToken = "reject-share-token-of-ada";
  unspeakable.set("a share token", shareToken);
  await call("/cardholder/apply", { cardholder_unique_no: "ada-2", sumsub_share_token: shareToken });
}

/** Faults inside, while secrets are on their way through: the tables are gone. */
async function faults(): Promise<void> {
  const { rows } = await db.ownerPool.query<{ name: string }>(
    "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE tablename IN ('consumption', 'card', 'cardholder') OR schemaname = 'vault'",
  );
  expect(rows.length).toBeGreaterThan(3);
  for (const { name } of rows) {
    await db.ownerPool.query(`ALTER TABLE ${name} RENAME TO ${name.split(".")[1] ?? ""}_away`);
  }
  const pan = unspeakable.get("a virtual card's number") ?? "";
  const network = { Authorization: `Bearer ${secrets.NETWORK_TOKEN}` };
  const shop = { name: "Shop", mcc: "5411", city: "Lisbon", country: "PT" };
  const message = {
    network_reference: "r-2",
    pan,
    cvv: "123",
    kind: "purchase",
    amount: "1.00",
    currency: "USD",
    merchant: shop,
  };
  const decided = await postJson(`${platform.network}/network/v1/authorizations`, network, message);
  expect(decided.json["approved"]).not.toBe(true);
  const { cardNo } = merchant;
  expect(
    await call("/card/pin/set", { card_no: cardNo, cardholder_no: cardholderNo, pin: encrypt(pin) }),
  ).toMatchObject({
    code: 1001,
  });
  expect(await call(`/card/${cardNo}/private/info`)).toMatchObject({ code: 1001 });
  expect((await sandbox("/purchases", { card_no: cardNo, amount: "1.00" })).status).toBeGreaterThanOrEqual(500);
  for (const { name } of rows) {
    await db.ownerPool.query(`ALTER TABLE ${name}_away RENAME TO ${name.split(".")[1] ?? ""}`);
  }
}

test("the platform lives through purchases, secrets, malformed calls and faults", async () => {
  const token = await dataOf("/merchant/token");
  accessToken = String(token["access_token"]);
  unspeakable.set("the Access-Token", accessToken);
  const detail = await dataOf(`/card/${merchant.cardNo}/detail`);
  cardholderNo = String(detail["cardholder_no"]);
  const { pan, cvv } = await printedOn(merchant.cardNo);
  unspeakable.set("a virtual card's number", pan);
  unspeakable.set("that card's CVV in JSON", `"${cvv}"`);

  expect(await merchant.buy("10.00")).toMatchObject({ approved: true });
  const wrong = await sandbox("/purchases", { card_no: merchant.cardNo, amount: "1.00", wrong_cvv: true });
  expect(wrong.json).toMatchObject({ approved: false, reason: "cvv_mismatch" });
  await lifeOfACard();
  await malformedCalls();
  await faults();
  expect(await merchant.buy("11.00")).toMatchObject({ approved: true });

  platform.kill("SIGTERM");
  output = await platform.ended;
  expect(output.code).toBe(0);
});

test("no log line holds a card number, a CVV, a PIN, a token, a key or a cardholder's address", () => {
  const log = output.stdout + output.stderr;
  // The faults were logged at all.
  expect(log).toContain("a call failed");
  expect(log).toContain("an authorization was declined with system_error");
  const found = [...unspeakable].filter(([, value]) => log.includes(value)).map(([name]) => name);
  expect(found).toEqual([]);
  expect(unspeakable.size).toBeGreaterThan(15);
  expect([...unspeakable.values()].filter((value) => value.length < 5)).toEqual([]);
});

test("no row of the database holds one of them in plain", async () => {
  const { rows: tables } = await db.ownerPool.query<{ name: string }>(
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
  );
  // The cardholders' room keeps the address; the rest is nobody's to keep.
  const kept = new Set(["the cardholder's e-mail", "that card's CVV in JSON", "its CVV in JSON", "the PIN"]);
  const wanted = [...unspeakable].filter(([name]) => !kept.has(name));
  const found: string[] = [];
  for (const { name: table } of tables) {
    for (const [name, value] of wanted) {
      const hex = Buffer.from(value, "utf8").toString("hex");
      const { rows } = await db.ownerPool.query<{ hits: bigint }>(
        `SELECT count(*) AS hits FROM ${table} t WHERE strpos(t::text, $1) > 0 OR strpos(t::text, $2) > 0`,
        [value, hex],
      );
      if ((rows[0]?.hits ?? 0n) > 0n) found.push(`${name} in ${table}`);
    }
  }
  expect(tables.length).toBeGreaterThan(20);
  expect(found).toEqual([]);
});
