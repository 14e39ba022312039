import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { startExampleMerchant } from "@cardwright/example-merchant";
import { verifyV1 } from "@cardwright/signing";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { setCallbackUrl } from "../../scripts/sandbox/enrol.ts";
import { listenThroughRelay } from "../relay/relay-listener.ts";
import { becomes, freePort } from "../support/processes.ts";
import { getJson, postJson } from "../support/sandbox-merchant.ts";
import { at, newPerson, type Person, textAt } from "./command-line.ts";
import { openScene, type Scene } from "./scene.ts";

/** Callbacks through the command: a listener in front of a server on this machine, their history, scenarios and time. */

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

interface Received {
  readonly action: string;
  readonly verified: boolean;
  readonly cardNo: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

let scene: Scene;
let developer: Person;
let server: Server;
let hook = "";
let cardNo = "";
const received: Received[] = [];
/** Of an Auth; pushes are always taken. */
let answerCode = 0;

/** A merchant's server, which trusts nothing that it cannot verify. */
function startServer(): Server {
  return createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const body = Buffer.concat(pieces).toString("utf8");
      const { action, data }: { action: string; data: { card_no: unknown } } = JSON.parse(body);
      const { timestamp, signature } = request.headers;
      const { appId, apiSecret } = scene.authorization;
      const verified = verifyV1({
        appId,
        apiSecret,
        timestamp: typeof timestamp === "string" ? timestamp : undefined,
        signature: typeof signature === "string" ? signature : undefined,
        dataText: body.slice(body.indexOf('"data":') + 7, -1),
        nowMs: Date.now(),
      }).ok;
      received.push({ action, verified, cardNo: data.card_no, headers: request.headers });
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ code: action === "Auth" ? answerCode : 0, message: "" }));
    });
  }).listen(0, "127.0.0.1");
}

beforeAll(async () => {
  scene = await openScene();
  server = startServer();
  await once(server, "listening");
  const address = server.address();
  hook = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/hook`;
  developer = await newPerson({ CARDWRIGHT_BASE_URL: scene.platform.api });
  const { apiKey, apiSecret, merchantNo, webhookSecret = "" } = scene.authorization;
  await setCallbackUrl(scene.desk, { merchantNo, callbackUrl: hook });
  await developer.types(["login"], {
    stdin: `${apiKey}\n${apiSecret}\n`,
    env: { CARDWRIGHT_WEBHOOK_SECRET: webhookSecret },
  });
  const apply = ["cardholders", "apply", "--unique-no", "ada"];
  const cardholder = textAt(await developer.reads(apply, { stdin: `approve-${randomUUID()}\n` }), "cardholder_no");
  await becomes(
    "the cardholder is approved",
    async () => at(await developer.reads(["cardholders", "show", cardholder]), "status") === "Approved",
  );
  const open = [
    "cards",
    "apply",
    "--cardholder",
    cardholder,
    "--unique-no",
    "card-1",
    "--bin",
    scene.authorization.productNo,
  ];
  cardNo = textAt(await developer.reads(open), "card_no");
});

afterAll(async () => {
  await developer.leave();
  server.closeAllConnections();
  server.close();
  await scene.close();
});

afterEach(() => developer.stops());

const credentialsFile = (): string => join(developer.home, ".config", "cardwright", "credentials.json");

async function buy(amount: string): Promise<Readonly<Record<string, unknown>>> {
  const { apiKey } = scene.authorization;
  const shop = { name: "Corner Bookshop", mcc: "5942", city: "Lisbon", country: "PT" };
  const body = { card_no: cardNo, amount, merchant: shop };
  return (await postJson(`${scene.platform.api}/sandbox/v1/purchases`, { "Api-Key": apiKey }, body)).json;
}

async function callbackUrlOfCredit(): Promise<string> {
  const { api } = scene.platform;
  const { json } = await getJson(`${api}/operator/v1/merchants/${scene.credit.merchantNo}`, {
    Authorization: `Bearer ${scene.desk.adminToken}`,
  });
  return textAt(json, "callback_url");
}

test("a new webhook secret is kept in the login and not shown, and the old one is good for a while", async () => {
  const rotated = await developer.types(["secrets", "rotate", "--overlap", "2h", "--save", "--json"]);
  expect(rotated).toMatchObject({ code: 0 });
  expect(rotated.stdout + rotated.stderr).not.toContain("whsec_");
  const kept: unknown = JSON.parse(await readFile(credentialsFile(), "utf8"));
  expect(at(kept, "profiles", "default", "webhook_secrets")).toEqual([
    expect.stringMatching(/^whsec_/u),
    scene.authorization.webhookSecret,
  ]);
  const [list, table, tooLong, shown] = await Promise.all([
    developer.reads(["secrets", "list"]),
    developer.types(["secrets", "list"]),
    developer.types(["secrets", "rotate", "--overlap", "8d"]),
    developer.types(["secrets", "rotate", "--save"], {
      env: {
        CARDWRIGHT_PROFILE: "",
        XDG_CONFIG_HOME: join(developer.home, "none"),
        CARDWRIGHT_API_KEY: scene.authorization.apiKey,
      },
    }),
  ]);
  expect(at(list, "list", 0, "secret_id")).toBe(at(JSON.parse(rotated.stdout), "secret_id"));
  expect(table.stdout).toContain("the next rotation");
  expect(tooLong).toMatchObject({ code: 2, stdout: "" });
  // Nowhere to keep it: nothing was rotated.
  expect(shown).toMatchObject({ code: 4, stdout: "" });
  expect(await developer.reads(["secrets", "list"])).toEqual(list);
});

test("a purchase is answered by a server behind the listener, and Ctrl-C puts the callback URL back", async () => {
  const listening = developer.start(["listen", "--forward-to", hook, "--save", "callbacks"]);
  await listening.said(/Listening at .*instead of .*\/hook/u);
  // The platform has moved to the listener when a callback comes through it.
  await becomes("an Auth comes through the listener", async () => {
    await buy("1.00");
    return / Auth /u.test(listening.stdout());
  });
  received.length = 0;

  const approved = await buy("12.50");
  expect(approved).toMatchObject({ approved: true });
  answerCode = 5101;
  const declined = await buy("13.50");
  answerCode = 0;
  expect(declined).toMatchObject({ approved: false, reason: "merchant_declined" });
  await becomes("the pushes came too", () => received.filter(({ action }) => action === "Consumption").length >= 2);

  expect(received.filter(({ verified }) => !verified)).toEqual([]);
  const asked = received.filter(({ action }) => action === "Auth");
  expect(asked).toMatchObject([{ cardNo, headers: { "sign-version": "V1" } }, { cardNo }]);
  expect(asked[0]?.headers["webhook-signature"]).toMatch(/^v1,/u);
  const said = await listening.said(/^.* Auth .* 13\.50 .*$/mu);
  expect(said[0]).toMatch(
    /^\d\d:\d\d:\d\d {2}Auth +C\w+ {2}13\.50 {2}Corner Bookshop {2}→ 200 code 5101 {2}\d+ ms.* verified$/u,
  );
  expect(listening.stdout()).toMatch(/ Auth +C\w+ {2}12\.50 .*→ 200 code 0 /u);
  expect(listening.stdout()).toMatch(/ Consumption +C\w+ .*→ 200 code 0 .* verified/u);
  expect(listening.stderr()).not.toContain("warning");

  listening.child.kill("SIGINT");
  expect(await listening.ended).toMatchObject({ code: 0 });
  expect(await developer.reads(["whoami"])).toMatchObject({ callback_url: hook });
});

test("a listener outlives a kill of the platform, says so, and meanwhile purchases are decided without it", async () => {
  // Another merchant's listener dies with the process, and does not come back: the last test of this file looks for its URL.
  await setCallbackUrl(scene.desk, { merchantNo: scene.credit.merchantNo, callbackUrl: hook });
  const { api } = scene.platform;
  expect((await listenThroughRelay({ api, apiKey: scene.credit.apiKey })).previousUrl).toBe(hook);
  expect(await callbackUrlOfCredit()).toMatch(/\/relay\//u);

  const listening = developer.start(["listen", "--forward-to", hook]);
  await listening.said(/Listening at .*instead of .*\/hook/u);
  await becomes("an Auth comes through the listener", async () => {
    await buy("1.00");
    return / Auth /u.test(listening.stdout());
  });
  // A push that is being sent when its worker is killed waits for 15 s, and the card's others behind it.
  await becomes(
    "nothing is under way",
    async () => at(await developer.reads(["endpoint", "show"]), "open_count") === 0,
  );
  // A stopped process does not come back before the test wants it, however slow this machine is.
  listening.child.kill("SIGSTOP");
  await scene.waitLonger(scene.authorization.merchantNo, 120_000);
  await scene.restart();
  expect(await buy("6.00")).toMatchObject({ approved: false, reason: "merchant_bad_answer" });
  listening.child.kill("SIGCONT");
  await listening.said(/warning: the platform cannot be reached .*trying again/u);
  await listening.said(/^The platform is back; callbacks come here again\.$/mu);

  received.length = 0;
  expect(await buy("7.00")).toMatchObject({ approved: true });
  await becomes("the push of the purchase that was declined comes, and after it that of the other", () => {
    const pushes = received.filter(({ action }) => action === "Consumption");
    return pushes.length >= 2 && pushes.every(({ verified }) => verified);
  });
  listening.child.kill("SIGINT");
  expect(await listening.ended).toMatchObject({ code: 0 });
  expect(await developer.reads(["whoami"])).toMatchObject({ callback_url: hook });
});

test("a saved callback is verified, and a changed one is not, with the reason", async () => {
  const folder = join(developer.home, "callbacks");
  const name = readdirSync(folder)[0] ?? "";
  const saved: { headers: Record<string, string>; body: string } = JSON.parse(
    await readFile(join(folder, name), "utf8"),
  );
  const good = await developer.types(["verify", `callbacks/${name}`]);
  expect(good).toEqual({ code: 0, stderr: "", stdout: "ok     V1: right\nok     Standard Webhooks: right\n" });
  const explained = await developer.types(["verify", `callbacks/${name}`, "--explain"]);
  expect(explained.stdout).toContain(`&timestamp=${saved.headers["timestamp"]}`);
  expect(explained.stdout).toContain(saved.headers["signature"]);

  const changed = JSON.stringify({ ...saved, body: saved.body.replace("Pending", "Success") });
  const wrong = await developer.types(["verify", "-"], { stdin: changed });
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toMatch(/^WRONG {2}V1: the signature is another one: /mu);
  expect(wrong.stdout).toMatch(/^WRONG {2}Standard Webhooks: the signature is another one: /mu);
});

test("when the server is away the platform is told so, and the line says it", async () => {
  const nowhere = `http://127.0.0.1:${await freePort()}/hook`;
  const listening = developer.start(["listen", "--forward-to", nowhere, "--json"]);
  await listening.said(/Listening at/u);
  await becomes("the listener cannot forward an Auth", async () => {
    const { approved } = await buy("2.00");
    return approved === false && /"action":"Auth".*"status":0,.*nobody listens there/u.test(listening.stdout());
  });
  const printing = developer.start(["listen", "--print-only"]);
  await printing.said(/Listening at .*instead of .*\/hook/u);
  // One listener per merchant: the first one notices and gives way.
  expect(await listening.ended).toMatchObject({ code: 1 });
  expect(listening.stderr()).toContain("Somebody else listens");
  await becomes("a purchase is approved", async () => (await buy("3.00"))["approved"] === true);
  await printing.said(/^ {4}sign-version: V1$/mu);
  printing.child.kill("SIGTERM");
  expect(await printing.ended).toMatchObject({ code: 0 });
  expect(await developer.reads(["whoami"])).toMatchObject({ callback_url: hook });
});

test("the history of callbacks is listed, shown with every try, and sent again", async () => {
  // The URL is the server's own again.
  await becomes("an Auth comes directly", async () => (await buy("4.00"))["approved"] === true);
  await becomes(
    "a push is delivered",
    async () => textAt(await developer.reads(["events", "list", "--limit", "1"]), "list", 0, "state") === "Delivered",
  );
  const newest = textAt(await developer.reads(["events", "list", "--limit", "1"]), "list", 0, "callback_id");
  const [shown, table, none, byTime] = await Promise.all([
    developer.types(["events", "show", newest]),
    developer.types(["events", "list", "--card", cardNo, "--action", "Consumption"]),
    developer.types(["events", "list", "--until", "2020-01-01"]),
    developer.reads(["events", "list", "--since", "1h", "--all"]),
  ]);
  expect(shown.stdout).toMatch(/^state +Delivered$/mu);
  expect(shown.stdout).toMatch(/^ +1 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d+ +200 +\{"code":0/mu);
  expect(table.stdout).toMatch(new RegExp(`^${newest} +Consumption +${cardNo} +\\d+ +Delivered +1 `, "mu"));
  expect(none.stdout).toBe("");
  expect(at(byTime, "list", 0, "callback_id")).toBe(newest);

  const before = received.length;
  const [resent, unknown, nothing] = await Promise.all([
    developer.reads(["events", "resend", newest]),
    developer.types(["events", "resend", "no-such-id"]),
    developer.types(["events", "resend"]),
  ]);
  expect(resent).toEqual({ resent: 1, unknown: [] });
  expect(unknown).toMatchObject({ code: 5 });
  expect(nothing).toMatchObject({ code: 2, stdout: "" });
  await becomes("it came again", () => received.length > before);
  expect((await developer.types(["events", "resend", "--missed"])).stdout).toMatch(
    /^\d+ callbacks? (?:is|are) sent again\.$/mu,
  );
  expect((await developer.types(["events", "show", "no-such-id"])).code).toBe(5);
});

test("the endpoint is tested, paused and resumed", async () => {
  const tested = await developer.reads(["endpoint", "test"]);
  expect(tested).toMatchObject({ delivered: true, http_status: 200 });
  expect(received.at(-1)).toMatchObject({ action: "Card_update", headers: { "test-push": "true" } });
  expect(await developer.reads(["endpoint", "pause"])).toMatchObject({ state: "Paused", paused_by: "merchant" });
  expect((await developer.types(["endpoint", "show"])).stdout).toMatch(/^state +Paused$/mu);
  expect(await developer.reads(["endpoint", "resume"])).toMatchObject({ state: "Active" });
});

test("the sandbox's clock is moved by a short duration, and never back", async () => {
  const before = await developer.reads(["clock", "show"]);
  const moved = await developer.reads(["clock", "advance", "1d12h"]);
  expect(Number(at(moved, "now")) - Number(at(before, "now"))).toBeGreaterThanOrEqual(129_600_000);
  expect((await developer.types(["clock", "show"])).stdout).toMatch(/^ahead +1 days 12 hours ahead of real time$/mu);
  expect(await developer.types(["clock", "advance", "soon"])).toMatchObject({ code: 2, stdout: "" });
  const tooFar = await developer.types(["clock", "advance", "500d"]);
  expect(tooFar).toMatchObject({ code: 1, stdout: "" });
  expect(tooFar.stderr).toContain("too_long");
  // Lists without a period follow the platform's clock.
  await buy("5.00");
  expect(at(await developer.reads(["consumptions", "list", "--limit", "1"]), "list", 0, "amount")).toBe("5.00");
});

test("a scenario passes or fails as it is written, and the exit code says which", async () => {
  const list = await developer.types(["trigger", "--list"]);
  expect(list.stdout).toMatch(/^account-verification +\d+ +yes/mu);
  const passed = await developer.types(["trigger", "account-verification"]);
  expect(passed).toMatchObject({ code: 0 });
  expect(passed.stdout).toMatch(/^passed {2}account-verification: \d+ of \d+ steps/u);
  answerCode = 5101;
  const failed = await developer.types(["trigger", "purchase-approved"]);
  answerCode = 0;
  expect(failed).toMatchObject({ code: 1 });
  expect(failed.stdout).toMatch(/^failed {2}purchase-approved: .*\n {2}\S/u);
  expect(await developer.types(["trigger", "no-such-scenario"])).toMatchObject({ code: 5, stdout: "" });
  expect(await developer.types(["trigger"])).toMatchObject({ code: 2, stdout: "" });
});

test("an endpoint is graded and benched by the same grader, and a grade that is too low fails", async () => {
  const login: unknown = JSON.parse(await readFile(credentialsFile(), "utf8"));
  const example = await startExampleMerchant({
    ...scene.authorization,
    // The newest one, which the grader signs with: an earlier test has rotated it.
    webhookSecret: textAt(login, "profiles", "default", "webhook_secrets", 0),
    port: 0,
    database: join(developer.home, "books.sqlite"),
    platformUrl: scene.platform.api,
    kycUrl: scene.platform.kycSimulator,
    cardProduct: scene.authorization.productNo,
  });
  const form = { name: "Grace Hopper", email: "grace@example.com", balance: "1000.00" };
  const user = await postJson(`${example.url}/users`, {}, form);
  const card = await postJson(`${example.url}/users/${String(user.json["id"])}/cards`, {}, { type: "Virtual" });
  const url = example.callbackUrl;
  const who = ["--card", textAt(card.json, "card_no"), "--seed", "7"];
  // The whole catalogue is the grader's own tests' business; here it is what the command makes of a report.
  const checks = [
    "connection.reachable",
    "signature.right",
    "signature.wrong",
    "auth.code",
    "auth.unknown-card",
    "push.code",
  ];
  const some = checks.flatMap((id) => ["--only", id]);
  // Graded from a process of its own: the endpoint, which has 800 ms, is in this one.
  const strictly = ["--json", "--html", "report.html", "--min-grade", "A"];
  const good = await developer.start(["certify", url, ...who, ...some, ...strictly]).ended;
  expect(good).toMatchObject({ code: 0 });
  expect(JSON.parse(good.stdout)).toMatchObject({ grade: "A", passed: checks.length, failed: 0, seed: 7, url });
  expect(await readFile(join(developer.home, "report.html"), "utf8")).toContain("<html");

  const nowhere = `http://127.0.0.1:${await freePort()}/hook`;
  const [bad, noCheck, noRate] = await Promise.all([
    developer.types(["certify", nowhere, ...who, ...some, "--min-grade", "D"]),
    developer.types(["certify", url, ...who, "--only", "no.check"]),
    developer.types(["certify", url, ...who, "--rates", "fast"]),
  ]);
  expect(bad).toMatchObject({ code: 1 });
  expect(bad.stdout).toContain("Cardwright certify");
  expect(bad.stderr).toContain("The grade is F");
  expect(noCheck).toMatchObject({ code: 2, stdout: "" });
  expect(noRate).toMatchObject({ code: 2, stdout: "" });

  const load = ["--rates", "5", "--seconds", "1", "--burst", "4"];
  const bench = await developer.start(["bench", url, ...who, ...load]).ended;
  expect(bench.stdout).toMatch(/^rate\/s +asked +within 800 ms +p50 +p95 +p99 +p99\.9 +max$/mu);
  expect(bench.stdout).toMatch(/^burst +4 /mu);
  await example.close();
});

test("the callback URL that a killed process had taken for a listener is put back by the next one after 30 s", async () => {
  // Real seconds, most of which the tests before have used.
  await expect.poll(callbackUrlOfCredit, { timeout: 60_000, interval: 200 }).toBe(hook);
});
