import { codeOf, developerEndpoints, type ErrorName, openApiPath } from "@cardwright/contract";
import { verifyStandard } from "@cardwright/signing";
import { type ApiAnswer, generousLimits, startApi, textAt } from "@cardwright/testing/api";
import { type DeveloperScene, openDeveloperScene, refuses, takes } from "@cardwright/testing/developer-scene";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

let scene: DeveloperScene;

beforeAll(async () => {
  scene = await openDeveloperScene();
});
beforeEach(() => {
  scene.server.answer = takes;
});
afterAll(() => scene.close());

const said = ({ status, code, msg }: ApiAnswer) => `${status} ${code} ${msg}`;
const codes = (...names: ErrorName[]) => names.map((name) => codeOf(name));

/** The pushes of the merchant, newest first. */
async function pushes(filter: object = {}): Promise<Record<string, unknown>[]> {
  const { code, data } = await scene.post("/callback/list", filter);
  expect(code).toBe(0);
  return Object.values(data["list"] ?? {});
}
const idsOf = (rows: readonly Record<string, unknown>[]): unknown[] => rows.map((row) => row["callback_id"]);

test("who you are: number, mode, environment, callback URL and the platform's time", async () => {
  const { merchantNo, appId } = scene.merchant.merchant;
  expect((await scene.get("/merchant/info")).data).toEqual({
    merchant_no: merchantNo,
    name: "Test merchant",
    mode: "AUTHORIZATION",
    app_id: appId,
    environment: "sandbox",
    callback_url: scene.server.url,
    time: scene.api.clock.now(),
  });
});

test("in the sandbox a merchant sets its callback URL by the operator's rules, in its own name in the audit", async () => {
  const own = await scene.api.newMerchant("AUTHORIZATION");
  const set = (body: object) => scene.post("/merchant/callback-url", body, { as: own });
  const url = "http://127.0.0.1:9/hook";
  expect(await set({ callback_url: url })).toMatchObject({ code: 0, data: { callback_url: url } });
  expect((await scene.get("/merchant/info", own)).data).toMatchObject({ callback_url: url });
  for (const wrong of [
    "nothing",
    "ftp://a.example/",
    "http://a:b@c.example/",
    "http://a.example/#b",
    " http://a.example",
  ]) {
    expect(said(await set({ callback_url: wrong }))).toBe("200 1004 callback_url invalid parameter");
  }
  expect(said(await set({}))).toBe("200 1004 callback_url invalid parameter");
  expect(await set({ callback_url: "" })).toMatchObject({ code: 0, data: { callback_url: "" } });
  const { rows } = await scene.api.db.pool.query<{ actor: string; request_id: string }>(
    "SELECT actor, request_id FROM audit_entry WHERE merchant_id = $1 AND action = 'merchant.update'",
    [own.merchant.merchantId],
  );
  expect(rows).toHaveLength(2);
  expect(rows[0]).toEqual({ actor: expect.stringMatching(/^merchant \S+/u), request_id: expect.stringMatching(/-/u) });
});

test("in production the callback URL is the operator's to set: 6003, in both languages", async () => {
  const production = await startApi({ deps: (deps) => ({ ...deps, environment: "production" }) });
  try {
    const merchant = await production.newMerchant("AUTHORIZATION");
    const set = async (language: string) =>
      production.call({
        method: "POST",
        path: "/developer/v1/merchant/callback-url",
        headers: { ...(await production.headersOf(merchant)), Language: language },
        body: { callback_url: "https://merchant.example/hook" },
      });
    expect(said(await set("en_US"))).toBe("200 6003 only in the sandbox");
    expect(said(await set("zh_CN"))).toBe("200 6003 仅限沙盒环境");
    const stored = await production.rooms.merchants.get(merchant.merchant.merchantId);
    expect(stored?.callbackUrl).toBe("");
  } finally {
    await production.close();
  }
});

test("a push is listed and shown as it was sent, with its tries; another merchant does not have it", async () => {
  scene.server.answer = refuses;
  await scene.changeCard();
  await scene.deliver();
  const [push] = await pushes({ size: 1 });
  expect(push).toEqual({
    callback_id: expect.stringMatching(/^[0-9a-f-]{36}$/u),
    action: "Card_update",
    card_no: scene.cardNo,
    consume_no: "",
    sequence: expect.any(Number),
    state: "Open",
    attempts: 1,
    created_at: expect.any(Number),
    next_attempt_at: expect.any(Number),
    finished_at: 0,
    last_error: "http_status",
  });
  const path = `/callback/${String(push?.["callback_id"])}/info`;
  scene.api.clock.advance(60_000);
  scene.server.answer = takes;
  await scene.deliver();
  const { data } = await scene.get(path);
  const received = scene.server.received.findLast(({ body }) => body.id === push?.["callback_id"]);
  expect(data).toMatchObject({
    callback_id: received?.body.id,
    state: "Delivered",
    attempts: 2,
    next_attempt_at: 0,
    last_error: "",
  });
  expect(Number(data["finished_at"])).toBeGreaterThan(0);
  expect(JSON.stringify(data["data"])).toBe(JSON.stringify(received?.body.data));
  expect(data["attempt_list"]).toEqual([
    {
      attempt: 2,
      time: expect.any(Number),
      duration_ms: expect.any(Number),
      http_status: 200,
      error: "",
      answer: takes.body,
    },
    {
      attempt: 1,
      time: expect.any(Number),
      duration_ms: expect.any(Number),
      http_status: 500,
      error: "http_status",
      answer: refuses.body,
    },
  ]);
  const stranger = await scene.api.newMerchant("AUTHORIZATION");
  expect(said(await scene.get(path, stranger))).toBe("200 6001 callback does not exist");
  expect((await scene.post("/callback/list", {}, { as: stranger })).data).toEqual({ list: [] });
  for (const id of ["nothing", "019e4f2a-7c00-7d3e-9a1b-3d5e7f901234", "%00", "a%2Fb"]) {
    expect(said(await scene.get(`/callback/${id}/info`))).toBe("200 6001 callback does not exist");
  }
});

test("pushes are listed newest first, page after page, by state, action, card, consumption and time", async () => {
  for (let count = 0; count < 4; count += 1) {
    scene.api.clock.advance(1_000);
    await scene.changeCard();
  }
  const all = await pushes({ size: 100 });
  const times = all.map((row) => Number(row["created_at"]));
  expect(times).toEqual([...times].sort((left, right) => right - left));
  const first = await pushes({ size: 2 });
  const second = await pushes({ size: 2, before: first[1]?.["callback_id"] });
  expect([...first, ...second]).toEqual(all.slice(0, 4));
  expect(await pushes({ before: all.at(-1)?.["callback_id"] })).toEqual([]);
  const open = await pushes({ state: "Open" });
  expect(idsOf(open)).toEqual(idsOf(all.slice(0, 4)));
  expect(new Set((await pushes({ state: "Delivered" })).map((row) => row["state"]))).toEqual(new Set(["Delivered"]));
  expect(await pushes({ state: "Given_up" })).toEqual([]);
  expect(await pushes({ action: "Consumption" })).toEqual([]);
  expect(await pushes({ action: "Card_update", card_no: scene.cardNo, size: 100 })).toEqual(all);
  expect(await pushes({ card_no: "C20260522NOBODY" })).toEqual([]);
  expect(await pushes({ card_no: "no number at all" })).toEqual([]);
  expect(await pushes({ consume_no: "O20260522NOBODY" })).toEqual([]);
  const [newest, next] = times;
  expect(idsOf(await pushes({ start_time: newest }))).toEqual(idsOf(all.slice(0, 1)));
  expect(idsOf(await pushes({ start_time: next, end_time: newest }))).toEqual(idsOf(all.slice(0, 2)));
  for (const [body, message] of [
    [{ start_time: 5, end_time: 5 }, "200 1019 end time not after start time"],
    [{ before: "nothing" }, "200 1004 before invalid parameter"],
    [{ state: "Lost" }, "200 1004 state invalid parameter"],
    [{ size: "20" }, "200 4010 size parameter of the wrong type"],
    ["[]", "200 1004 body invalid parameter"],
    ["{", "200 1004 body invalid parameter"],
    ['{"size":1,"size":2}', "200 1004 size invalid parameter"],
  ] as const) {
    expect([body, said(await scene.post("/callback/list", body))]).toEqual([body, message]);
  }
  await scene.deliver();
});

test("pushes are sent again: named ones, all since a moment, and all that were missed; exactly one choice", async () => {
  await scene.deliver();
  const sentAgain = async (body: object): Promise<{ answer: ApiAnswer["data"]; ids: string[] }> => {
    const before = scene.server.received.length;
    const { code, data } = await scene.post("/callback/resend", body);
    expect(code).toBe(0);
    await scene.deliver();
    return { answer: data, ids: scene.server.received.slice(before).map(({ body: { id } }) => id) };
  };
  const delivered = await pushes({ size: 3 });
  const [newest, middle, oldest] = idsOf(delivered).map(String);
  const absent = "019e4f2a-7c00-7d3e-9a1b-3d5e7f901234";
  const named = await sentAgain({ callback_ids: [newest, absent, oldest, newest, "nothing"] });
  expect(named.answer).toEqual({ resent: 2, unknown: [absent, "nothing"] });
  // In the order of the card.
  expect(named.ids).toEqual([oldest, newest]);
  const since = await sentAgain({ since: delivered[1]?.["created_at"] });
  expect(since).toEqual({ answer: { resent: 2, unknown: [] }, ids: [middle, newest] });
  expect(await sentAgain({ missed: true })).toEqual({ answer: { resent: 0, unknown: [] }, ids: [] });

  scene.server.answer = refuses;
  await scene.changeCard();
  await scene.deliver();
  scene.server.answer = takes;
  const [missed] = idsOf(await pushes({ state: "Open" }));
  expect(await sentAgain({ missed: true })).toEqual({ answer: { resent: 1, unknown: [] }, ids: [missed] });

  for (const [body, field] of [
    [{}, "callback_ids"],
    [{ since: 1, missed: true }, "missed"],
    [{ callback_ids: [newest], missed: true }, "missed"],
    [{ missed: false }, "missed"],
    [{ callback_ids: [] }, "callback_ids"],
  ] as const) {
    expect([body, said(await scene.post("/callback/resend", body))]).toEqual([
      body,
      `200 1004 ${field} invalid parameter`,
    ]);
  }
  const stranger = await scene.api.newMerchant("AUTHORIZATION");
  const theirs = await scene.post("/callback/resend", { callback_ids: [newest] }, { as: stranger });
  expect(theirs.data).toEqual({ resent: 0, unknown: [newest] });
});

test("a merchant pauses its endpoint, sees what waits, tries it out and resumes it", async () => {
  const info = await scene.get("/callback-endpoint/info");
  expect(info.data).toMatchObject({
    state: "Active",
    paused_by: "",
    paused_at: 0,
    open_count: 0,
    open_count_is_exact: true,
  });
  const paused = await scene.post("/callback-endpoint/pause");
  expect(paused.data).toMatchObject({ state: "Paused", paused_by: "merchant" });
  expect(Number(paused.data["paused_at"])).toBeGreaterThan(0);
  await scene.changeCard();
  const before = scene.server.received.length;
  await scene.deliver();
  expect(scene.server.received).toHaveLength(before);
  expect((await scene.get("/callback-endpoint/info")).data).toMatchObject({ state: "Paused", open_count: 1 });

  const tried = await scene.post("/callback-endpoint/test");
  expect(tried.data).toEqual({
    delivered: true,
    http_status: 200,
    error: "",
    answer: takes.body,
    duration_ms: expect.any(Number),
    // Only what failures have paused is resumed by a success.
    resumed: false,
  });
  const push = scene.server.received.at(-1);
  expect(push?.headers).toMatchObject({ "test-push": "true" });
  expect(push?.headers).not.toHaveProperty("sequence");
  expect(push?.body).toMatchObject({
    action: "Card_update",
    data: { card_no: scene.cardNo, before_status: "Activated", after_status: "Activated", reason: "test" },
  });
  scene.server.answer = refuses;
  expect((await scene.post("/callback-endpoint/test")).data).toMatchObject({
    delivered: false,
    http_status: 500,
    error: "http_status",
  });
  scene.server.answer = takes;

  expect((await scene.post("/callback-endpoint/resume")).data).toMatchObject({ state: "Active", paused_by: "" });
  await scene.deliver();
  expect((await scene.get("/callback-endpoint/info")).data).toMatchObject({ open_count: 0 });
});

test("without a callback URL a test push is 6002, and a server that is not there is told without a status", async () => {
  const without = await scene.api.newMerchant("AUTHORIZATION");
  expect(said(await scene.post("/callback-endpoint/test", {}, { as: without }))).toBe("200 6002 no callback URL");
  const chinese = await scene.post("/callback-endpoint/test", {}, { as: without, language: "zh_CN" });
  expect(said(chinese)).toBe("200 6002 未设置回调地址");
  // Port 9 (discard) has no listener on a test machine.
  const away = await scene.api.newMerchant("AUTHORIZATION", { callbackUrl: "http://127.0.0.1:9/" });
  expect((await scene.post("/callback-endpoint/test", {}, { as: away })).data).toMatchObject({
    delivered: false,
    http_status: 0,
    error: expect.stringMatching(/./u),
    answer: "",
  });
});

test("a webhook secret is rotated with an overlap in which callbacks carry a signature by each", async () => {
  const own = await scene.api.newMerchant("AUTHORIZATION", { callbackUrl: scene.server.url });
  const rotate = (body: object) => scene.post("/webhook-secret/rotate", body, { as: own });
  const first = await rotate({});
  expect(first.data).toMatchObject({
    secret_id: expect.any(String),
    secret: expect.stringMatching(/^whsec_[\w+/]{43}=$/u),
  });
  const second = await rotate({ overlap_hours: 1 });
  expect(Number(second.data["previous_expires_at"])).toBeGreaterThan(0);
  expect((await scene.get("/webhook-secret/list", own)).data).toEqual({
    list: [
      { secret_id: second.data["secret_id"], created_at: expect.any(Number), expires_at: 0 },
      {
        secret_id: first.data["secret_id"],
        created_at: expect.any(Number),
        expires_at: second.data["previous_expires_at"],
      },
    ],
  });
  await scene.post("/callback-endpoint/test", {}, { as: own });
  const push = scene.server.received.at(-1);
  const header = (name: string): string => String(push?.headers[name]);
  expect(header("webhook-signature").split(" ")).toHaveLength(2);
  for (const { data } of [first, second]) {
    const verified = verifyStandard({
      id: header("webhook-id"),
      timestamp: header("webhook-timestamp"),
      signatureHeader: header("webhook-signature"),
      body: push?.text ?? "",
      secrets: [textAt(data, "secret")],
      nowMs: Date.now(),
    });
    expect(verified).toEqual({ ok: true });
  }
  for (const [body, message] of [
    [{ overlap_hours: 169 }, "200 1004 overlap_hours invalid parameter"],
    [{ overlap_hours: "1" }, "200 4010 overlap_hours parameter of the wrong type"],
  ] as const) {
    expect(said(await rotate(body))).toBe(message);
  }
});

test("whoever rotates faster than the worker erases is told 1009 with Retry-After", async () => {
  const own = await scene.api.newMerchant("AUTHORIZATION");
  let answer = await scene.post("/webhook-secret/rotate", { overlap_hours: 0 }, { as: own });
  for (let count = 0; count < 30 && answer.code === 0; count += 1) {
    answer = await scene.post("/webhook-secret/rotate", { overlap_hours: 0 }, { as: own });
  }
  expect([answer.status, answer.code, answer.headers["retry-after"]]).toEqual([200, codeOf("too_frequent"), "60"]);
});

test("every endpoint is behind the checks of the Open API: key, time, token, and nothing else of the path", async () => {
  const good = await scene.api.headersOf(scene.merchant);
  for (const { method, path } of developerEndpoints) {
    const url = path.replace(":callback_id", "x");
    const call = (headers: Record<string, string | undefined>) =>
      scene.api.call({ method, path: url, headers: { ...good, ...headers }, ...(method === "POST" && { body: {} }) });
    const answers = [
      await call({ "Api-Key": undefined }),
      await call({ Timestamp: "1000000000000" }),
      await call({ "Access-Token": undefined }),
      await call({ "Access-Token": "at_x" }),
    ];
    expect([openApiPath(path), ...answers.map(({ code }) => code)]).toEqual([
      openApiPath(path),
      ...codes("api_key_required", "timestamp_invalid", "access_token_required", "access_token_invalid"),
    ]);
    const other = await scene.api.call({ method: method === "GET" ? "POST" : "GET", path: url, headers: good });
    expect([other.status, other.headers["allow"]]).toEqual([405, method]);
    expect((await scene.api.call({ method: "DELETE", path: url, headers: good })).status).toBe(405);
  }
  for (const path of ["/developer", "/developer/v1", "/developer/v1/nothing", "/developer/v2/merchant/info"]) {
    expect(said(await scene.api.call({ path, headers: good }))).toBe("404 1004 path invalid parameter");
  }
  const text = await scene.api.call({
    method: "POST",
    path: "/developer/v1/callback/list",
    headers: { ...good, "Content-Type": "text/plain" },
    body: "{}",
  });
  expect(said(text)).toBe("415 1004 content_type invalid parameter");
  const long = await scene.post("/callback/list", `{"pad":"${"x".repeat(65_536)}"}`);
  expect(said(long)).toBe("413 1004 body invalid parameter");
});

test("both APIs are counted together, and both are 503 while the process stops", async () => {
  const narrow = await startApi({ limits: { ...generousLimits, keyBurst: 3, keyPerSecond: 0.001 } });
  try {
    const merchant = await narrow.newMerchant("AUTHORIZATION");
    // The token is the first of three calls.
    const headers = await narrow.headersOf(merchant);
    const info = () => narrow.call({ path: "/developer/v1/merchant/info", headers });
    const bins = () => narrow.post(merchant, "/card/support/bins", {});
    expect([(await info()).code, (await bins()).code]).toEqual([0, 0]);
    for (const refused of [await info(), await bins()]) {
      expect([refused.code, refused.headers["retry-after"]]).toEqual([1009, expect.stringMatching(/^\d+$/u)]);
    }
    narrow.stopping = true;
    const stopped = await info();
    expect([stopped.status, stopped.code, stopped.headers["retry-after"]]).toEqual([503, 1001, "5"]);
  } finally {
    await narrow.close();
  }
});

test("an endpoint's answer has exactly the fields of the contract", async () => {
  const [push] = await pushes({ size: 1 });
  const id = textAt(push, "callback_id");
  for (const { id: endpointId, method, path, response } of developerEndpoints) {
    if (endpointId === "developer.callback_url") continue;
    const url = path.replace("/developer/v1", "").replace(":callback_id", id);
    const body = endpointId === "developer.callback_resend" ? { missed: true } : {};
    const answer = method === "GET" ? await scene.get(url) : await scene.post(url, body);
    expect([endpointId, answer.code]).toEqual([endpointId, 0]);
    expect(Object.keys(answer.data)).toEqual(Object.keys(response.shape));
    expect(response.safeParse(answer.data).success).toBe(true);
  }
});
