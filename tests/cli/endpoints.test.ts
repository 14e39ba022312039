import { randomUUID } from "node:crypto";
import { statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { becomes } from "../support/processes.ts";
import { postJson } from "../support/sandbox-merchant.ts";
import { at, newPerson, type Person, textAt } from "./command-line.ts";
import { environmentOf, openScene, type Scene } from "./scene.ts";

/** Every endpoint of the Open API through the command, against a running platform: as JSON, and as a person reads it. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let scene: Scene;
/** Logged in to the credit merchant. */
let credit: Person;
/** Of the merchant in authorization mode, by environment variables alone. */
let bank: Person;
let cardholderNo = "";
let cardNo = "";

beforeAll(async () => {
  scene = await openScene();
  credit = await newPerson({ CARDWRIGHT_BASE_URL: scene.platform.api });
  bank = await newPerson(environmentOf(scene, scene.authorization));
});

afterAll(async () => {
  await credit.leave();
  await bank.leave();
  await scene.close();
});

const credentialsFile = (): string => join(credit.home, ".config", "cardwright", "credentials.json");

test("a login is checked with the platform before it is kept, and only its user may read it", async () => {
  const nobody = await credit.types(["cards", "list"]);
  expect(nobody).toMatchObject({ code: 4, stdout: "" });
  expect(nobody.stderr).toContain("Run cardwright login");

  const { apiKey, apiSecret } = scene.credit;
  const wrong = await credit.types(["login"], { stdin: `${apiKey.slice(0, -1)}\n${apiSecret}\n` });
  expect(wrong).toMatchObject({ code: 4, stdout: "" });
  expect(wrong.stderr).toContain("1008 Api-Key does not exist");
  expect(() => statSync(credentialsFile())).toThrow("ENOENT");

  const right = await credit.start(["login"], { stdin: `${apiKey}\n${apiSecret}\n` }).ended;
  expect(right).toMatchObject({ code: 0 });
  expect(right.stdout).toBe(
    `Logged in to ${scene.platform.api} as ${scene.credit.merchantNo} (Acme Wallet, CREDIT_EXTENSION).\n`,
  );
  expect(right.stdout + right.stderr).not.toContain(apiSecret);
  expect(statSync(credentialsFile()).mode & 0o777).toBe(0o600);
  expect(statSync(join(credentialsFile(), "..")).mode & 0o777).toBe(0o700);
  expect(JSON.parse(await readFile(credentialsFile(), "utf8"))).toMatchObject({
    profiles: { default: { base_url: scene.platform.api, app_id: scene.credit.appId, api_key: apiKey } },
  });

  const me = await credit.reads(["whoami"]);
  expect(me).toMatchObject({ merchant_no: scene.credit.merchantNo, app_id: scene.credit.appId, profile: "default" });
  expect(JSON.stringify(me)).not.toContain(apiSecret);
});

test("what was kept for one platform is not sent to another, whatever a project's file says", async () => {
  await credit.types(["init", "--base-url", "http://localhost:9"], {
    folder: "elsewhere",
    env: { CARDWRIGHT_BASE_URL: "" },
  });
  const refused = await credit.types(["whoami"], { folder: "elsewhere", env: { CARDWRIGHT_BASE_URL: "" } });
  expect(refused).toMatchObject({ code: 4, stdout: "" });
  expect(refused.stderr).toContain("There is no login for http://localhost:9");
});

test("a cardholder applies, is found by its numbers, and becomes Approved", async () => {
  const uniqueNo = `user-${randomUUID()}`;
  const applied = await credit.reads(["cardholders", "apply", "--unique-no", uniqueNo], {
    stdin: `approve-${randomUUID()}\n`,
  });
  cardholderNo = textAt(applied, "cardholder_no");
  expect(applied).toEqual({ cardholder_no: cardholderNo, cardholder_unique_no: uniqueNo });
  await becomes(
    "the cardholder is approved",
    async () => at(await credit.reads(["cardholders", "show", cardholderNo]), "status") === "Approved",
  );
  const [list, none, table] = await Promise.all([
    credit.reads(["cardholders", "list", "--unique-no", uniqueNo]),
    credit.types(["cardholders", "list", "--since", "2020-01-01", "--until", "2020-01-31"]),
    credit.types(["cardholders", "list"]),
  ]);
  expect(list).toMatchObject({ list: [{ cardholder_no: cardholderNo, status: "Approved" }] });
  expect(none).toMatchObject({ code: 0, stdout: "" });
  expect(none.stderr).toContain("No cardholders.");
  expect(table.stdout.split("\n")[0]).toMatch(/^cardholder_no +unique_no +status +email/u);
  expect(table.stdout).toMatch(new RegExp(`^${cardholderNo}  ${uniqueNo} +Approved`, "mu"));
  expect(table.stdout).not.toContain("\u001b[");
});

test("credit is given once for a number, and shown in accounts and transfers", async () => {
  const words = ["accounts", "transfer", cardholderNo, "--in", "200.00", "--unique-no", "topup-1"];
  const first = await credit.reads(words);
  expect(first).toMatchObject({ transfer_unique_no: "topup-1", before_balance: "0.00", after_balance: "200.00" });
  expect(await credit.reads(words)).toEqual(first);
  const [out, accounts, transfers, other, both, packages] = await Promise.all([
    credit.reads(["accounts", "transfer", cardholderNo, "--out", "50.00", "--unique-no", "back-1"]),
    credit.types(["accounts", "show", cardholderNo]),
    credit.reads(["accounts", "transfers", "--unique-no", "topup-1"]),
    credit.types([...words.slice(0, 4), "201.00", ...words.slice(5)]),
    credit.types([...words, "--out", "1.00"]),
    credit.types(["packages", "list"]),
  ]);
  expect(out).toMatchObject({ after_balance: "150.00" });
  expect(accounts.stdout).toMatch(/^TUSDT +TRC20 +\d+\.00 +0\.00 +0\.00/mu);
  expect(transfers).toMatchObject({
    list: [{ transfer_no: at(first, "transfer_no"), type: "In", balance: "200.00", status: "Success" }],
  });
  expect(other).toMatchObject({ code: 1, stdout: "" });
  expect(other.stderr).toContain("error: 3004 ");
  expect(both).toMatchObject({ code: 2, stdout: "" });
  expect(packages.stdout).toMatch(new RegExp(`^${scene.credit.productNo} +Everyday +49387520 +VISA`, "mu"));
});

test("a card is opened, frozen, made to work again, and read with its number masked", async () => {
  const apply = [
    "cards",
    "apply",
    "--cardholder",
    cardholderNo,
    "--unique-no",
    "card-1",
    "--package",
    scene.credit.productNo,
  ];
  cardNo = textAt(await credit.reads(apply), "card_no");
  const [list, masked, revealed, table, token] = await Promise.all([
    credit.reads(["cards", "list", "--cardholder", cardholderNo]),
    credit.types(["cards", "private", cardNo]),
    credit.reads(["cards", "private", cardNo, "--reveal"]),
    credit.types(["cards", "show", cardNo]),
    credit.reads(["cards", "client-token", cardNo]),
  ]);
  const lastFour = textAt(list, "list", 0, "card_last_no");
  expect(list).toMatchObject({
    list: [{ card_no: cardNo, card_unique_no: "card-1", card_type: "Virtual", status: "Activated" }],
  });
  const pan = textAt(revealed, "pan");
  expect(pan).toMatch(new RegExp(`^49387520\\d{4}${lastFour}$`, "u"));
  expect(masked.stdout).toContain(`493875******${lastFour}`);
  expect(masked.stdout + masked.stderr).not.toContain(pan);
  expect(masked.stdout).toMatch(/^cvv +\*\*\*$/mu);
  expect(table.stdout).toMatch(/^fee_detail\.consume_rate +0\.05$/mu);
  expect(token).toMatchObject({ expires_in: 60 });

  expect(await credit.reads(["cards", "freeze", cardNo])).toEqual({ result: true });
  expect(await credit.reads(["cards", "show", cardNo])).toMatchObject({ status: "Frozen" });
  expect(await credit.reads(["cards", "unfreeze", cardNo])).toEqual({ result: true });
});

test("a purchase is found among the consumptions, with its fees and the shop", async () => {
  const bought = await postJson(
    `${scene.platform.api}/sandbox/v1/purchases`,
    { "Api-Key": scene.credit.apiKey },
    {
      card_no: cardNo,
      amount: "20.00",
      merchant: { name: "Corner Bookshop", mcc: "5942", city: "Lisbon", country: "PT" },
    },
  );
  expect(bought.json).toMatchObject({ approved: true });
  const consumeNo = textAt(bought.json, "consume_no");
  const [list, shown, table] = await Promise.all([
    credit.reads(["consumptions", "list", "--card", cardNo, "--since", "1h"]),
    credit.types(["consumptions", "show", consumeNo]),
    credit.types(["consumptions", "list", "--cardholder", cardholderNo, "--limit", "1"]),
  ]);
  expect(list).toMatchObject({ list: [{ consume_no: consumeNo, amount: "20.00", fee: "1.00", status: "Pending" }] });
  expect(shown.stdout).toMatch(/^merchant_info\.merchant_name +Corner Bookshop$/mu);
  expect(shown.stdout).toMatch(/^Consume_fee +1\.00$/mu);
  expect(shown.stdout).toMatch(/^time +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/mu);
  expect(table.stdout).toMatch(new RegExp(`^${consumeNo} .* 20\\.00 +1\\.00 +20\\.00 USD +Pending`, "mu"));
});

test("a physical card is activated and gets its PIN, and neither CVV nor PIN stands on the command line", async () => {
  const address = {
    first_name: "Jane",
    last_name: "Miller",
    phone_code: "44",
    phone: "7700900123",
    postal_code: "SW1A 1AA",
    country: "GB",
    state: "England",
    city: "Nowhere",
    address_line1: "10 Example Street",
  };
  writeFileSync(join(credit.home, "address.json"), JSON.stringify(address));
  const apply = [
    "cards",
    "apply",
    "--cardholder",
    cardholderNo,
    "--unique-no",
    "card-2",
    "--package",
    scene.credit.productNo,
  ];
  const physical = [...apply, "--type", "Physical", "--address", "address.json"];
  const broken = await credit.types([...physical, "--city", "Zürich"]);
  expect(broken.code).toBe(1);
  expect(broken.stderr).toContain("2008 address_info.city only supports English input");
  const card = textAt(await credit.reads([...physical, "--city", "London"]), "card_no");
  await becomes(
    "the card is made",
    async () => at(await credit.reads(["cards", "show", card]), "status") === "ToActivate",
  );

  const secret = await credit.reads(["cards", "private", card, "--reveal"]);
  const lastFour = textAt(secret, "pan").slice(-4);
  const activate = ["cards", "activate", card, "--last-four", lastFour];
  const wrongCvv = textAt(secret, "cvv") === "000" ? "001" : "000";
  const wrong = await credit.types(activate, { env: { CARDWRIGHT_CVV: wrongCvv } });
  expect(wrong).toMatchObject({ code: 1, stdout: "" });
  expect(wrong.stderr).toContain("4008 ");
  expect(wrong.stderr).not.toContain(wrongCvv);
  expect(await credit.reads(activate, { env: { CARDWRIGHT_CVV: textAt(secret, "cvv") } })).toEqual({ result: true });
  const weak = await credit.types(["cards", "set-pin", card], { stdin: "123456\n" });
  expect(weak.stderr).toContain("4016 ");
  expect(await credit.reads(["cards", "set-pin", card], { stdin: "485016\n" })).toEqual({ result: true });

  const unasked = await credit.types(["cards", "delete", card]);
  expect(unasked).toMatchObject({ code: 2, stdout: "" });
  expect(unasked.stderr).toContain("--yes");
  expect(await credit.reads(["cards", "delete", card, "--yes"])).toEqual({ result: true });
  expect(await credit.reads(["cards", "show", card])).toMatchObject({ status: "Delete" });
});

test("in authorization mode there are BINs, and the other mode's commands are refused with what to do", async () => {
  const [bins, table, packages, accounts] = await Promise.all([
    bank.reads(["bins", "list"]),
    bank.types(["bins", "list"]),
    bank.types(["packages", "list"]),
    bank.types(["accounts", "show", "U1"]),
  ]);
  expect(bins).toMatchObject({ list: [{ card_bin_no: scene.authorization.productNo, support_physical: true }] });
  expect(table.stdout).toMatch(new RegExp(`^${scene.authorization.productNo} +49387520 +VISA +yes +yes +USD`, "mu"));
  for (const refused of [packages, accounts]) {
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(
      "error: 1012 mode not supported\nUse the endpoints and product numbers of your own mode.\n",
    );
  }
});

test("how it ended is told by the exit code, and as JSON to who asked for JSON", async () => {
  const [unknown, json, chinese, wrongField, away] = await Promise.all([
    credit.types(["cards", "show", "C202001010001"]),
    credit.types(["cards", "show", "C202001010001", "--json"]),
    credit.types(["cards", "show", "C202001010001", "--language", "zh_CN"]),
    credit.types(["cards", "list", "--since", "2020-01-01", "--json"]),
    credit.types(["whoami", "--base-url", "http://127.0.0.1:9"], { env: { CARDWRIGHT_API_KEY: "key" } }),
  ]);
  expect(unknown).toMatchObject({ code: 5, stdout: "" });
  expect(unknown.stderr).toContain("error: 4001 card does not exist");
  expect(json).toMatchObject({ code: 5, stdout: "" });
  expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: "4001", exit_code: 5 } });
  expect(chinese.stderr).toMatch(/error: 4001 \p{Script=Han}+/u);
  expect(wrongField).toMatchObject({ code: 1 });
  expect(JSON.parse(wrongField.stderr)).toMatchObject({ error: { code: "1020" } });
  expect(away).toMatchObject({ code: 3, stdout: "" });
  expect(away.stderr).toContain("got no answer");
});

test("more rows than are wanted are named, and all of them are fetched when asked for", async () => {
  const [one, all] = await Promise.all([
    credit.types(["cards", "list", "--limit", "1"]),
    credit.reads(["cards", "list", "--all"]),
  ]);
  expect(one.stdout.trim().split("\n")).toHaveLength(2);
  expect(one.stderr).toContain("There are more cards");
  expect(at(all, "list")).toHaveLength(2);
});

test("a logout forgets the profile, and the next call is refused before it is made", async () => {
  expect(await credit.types(["logout"])).toMatchObject({ code: 0 });
  expect(await readFile(credentialsFile(), "utf8")).not.toContain(scene.credit.apiKey);
  expect(await credit.types(["cards", "list"])).toMatchObject({ code: 4, stdout: "" });
  expect(await credit.types(["logout"])).toMatchObject({ code: 4 });
});
