import { type DeveloperScene, openDeveloperScene, refuses, takes } from "@cardwright/testing/developer-scene";
import { type OperatorDesk, openOperatorDesk } from "@cardwright/testing/operator-desk";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

/** What the operator sees of a merchant's pushes and does about them, over HTTP, with the merchant's server as a process of its own would be. */
let scene: DeveloperScene;
let desk: OperatorDesk;
let path: string;

beforeAll(async () => {
  scene = await openDeveloperScene();
  desk = await openOperatorDesk(scene.api);
  path = `/merchants/${scene.merchant.merchant.merchantNo}`;
});
beforeEach(() => {
  scene.server.answer = takes;
});
afterAll(async () => {
  await desk.close();
  await scene.close();
});

async function rows(query = ""): Promise<Record<string, unknown>[]> {
  const { status, body } = await desk.call("GET", `${path}/callbacks${query}`);
  expect(status).toBe(200);
  return Object.values(Object(body["list"]));
}
const idsOf = (list: readonly Record<string, unknown>[]): string[] => list.map((row) => String(row["callback_id"]));

/** What the audit says of callbacks, oldest first. */
async function audited(): Promise<{ action: string; subject: string; actor: string; detail: object }[]> {
  const { rows: entries } = await scene.api.db.pool.query<{
    action: string;
    subject: string;
    actor: string;
    detail: string;
  }>(
    "SELECT action, subject, actor, detail::text AS detail FROM audit_entry WHERE action LIKE 'callback%' ORDER BY entry_no",
  );
  return entries.map(({ detail, ...entry }) => ({ ...entry, detail: JSON.parse(detail) }));
}

test("pushes are listed with filters, shown with their tries and sent again, and each action is audited before it is done", async () => {
  scene.server.answer = refuses;
  await scene.changeCard();
  await scene.deliver();
  const [failing] = await rows("?state=Open");
  expect(failing).toMatchObject({
    action: "Card_update",
    card_no: scene.cardNo,
    consume_no: "",
    attempts: 1,
    finished_at: null,
    first_failed_at: expect.any(Number),
    next_attempt_at: expect.any(Number),
    last_error: "http_status",
  });
  const all = await rows(`?card_no=${scene.cardNo}&action=Card_update`);
  expect(idsOf(all)[0]).toBe(failing?.["callback_id"]);
  expect(await rows("?size=1")).toEqual(all.slice(0, 1));
  expect(await rows(`?before=${idsOf(all)[0]}`)).toEqual(all.slice(1));
  expect(await rows(`?from=${String(failing?.["created_at"])}&state=Delivered&consume_no=O1`)).toEqual([]);
  expect(await rows("?to=0")).toEqual([]);

  const one = `${path}/callbacks/${String(failing?.["callback_id"])}`;
  const shown = await desk.call("GET", one);
  const sent = scene.server.received.findLast(({ body }) => body.id === failing?.["callback_id"]);
  expect(shown.body).toMatchObject({
    data: JSON.stringify(sent?.body.data),
    attempt_list: [{ attempt: 1, http_status: 500, error: "http_status", answer: refuses.body }],
  });
  scene.server.answer = takes;
  expect(await desk.call("POST", `${one}/resend`)).toMatchObject({ status: 200, body: { state: "Open" } });
  await scene.deliver();
  expect((await desk.call("GET", one)).body).toMatchObject({ state: "Delivered", attempts: 2, next_attempt_at: null });

  const [id = ""] = idsOf(all);
  const absent = "019e4f2a-7c00-7d3e-9a1b-3d5e7f901234";
  const many = (body: object) => desk.call("POST", `${path}/callbacks/resend`, body);
  expect((await many({ callback_ids: [id, absent, id] })).body).toEqual({ resent: 1, unknown: [absent] });
  expect((await many({ since: 0 })).body).toEqual({ resent: all.length, unknown: [] });
  await scene.deliver();
  expect((await many({ missed: true })).body).toEqual({ resent: 0, unknown: [] });
  const { merchantNo } = scene.merchant.merchant;
  expect(await audited()).toEqual([
    { action: "callback.resend", subject: id, actor: "admin", detail: {} },
    { action: "callback.resend_many", subject: merchantNo, actor: "admin", detail: { callback_ids: [id, absent, id] } },
    { action: "callback.resend_many", subject: merchantNo, actor: "admin", detail: { since: 0 } },
    { action: "callback.resend_many", subject: merchantNo, actor: "admin", detail: { missed: true } },
  ]);
});

test("what is wrong about a call is named, and nothing of it is audited", async () => {
  const before = await audited();
  const absent = "019e4f2a-7c00-7d3e-9a1b-3d5e7f901234";
  for (const [method, place, body, status, error] of [
    ["GET", `${path}/callbacks?state=Lost`, undefined, 400, { code: "invalid_field", field: "state" }],
    ["GET", `${path}/callbacks?from=yesterday`, undefined, 400, { code: "invalid_field", field: "from" }],
    ["GET", `${path}/callbacks?before=nothing`, undefined, 400, { code: "invalid_field", field: "before" }],
    ["GET", `${path}/callbacks?page=1`, undefined, 400, { code: "invalid_field", field: "page" }],
    ["GET", `${path}/callbacks/${absent}`, undefined, 404, { code: "callback_unknown" }],
    ["GET", `${path}/callbacks/nothing`, undefined, 404, { code: "not_found" }],
    ["POST", `${path}/callbacks/${absent}/resend`, undefined, 404, { code: "callback_unknown" }],
    ["POST", `${path}/callbacks/resend`, {}, 400, { code: "resend_choice_invalid" }],
    ["POST", `${path}/callbacks/resend`, { since: 1, missed: true }, 400, { code: "resend_choice_invalid" }],
    ["POST", `${path}/callbacks/resend`, { missed: false }, 400, { code: "invalid_field", field: "missed" }],
    ["POST", `${path}/callbacks/resend`, { callback_ids: [] }, 400, { code: "invalid_field", field: "callback_ids" }],
    [
      "POST",
      `${path}/callbacks/resend`,
      { callback_ids: ["x"] },
      400,
      { code: "invalid_field", field: "callback_ids.0" },
    ],
    ["POST", "/merchants/M0/callbacks/resend", { missed: true }, 404, { code: "merchant_unknown" }],
    ["GET", "/merchants/M0/callbacks", undefined, 404, { code: "merchant_unknown" }],
    ["GET", "/merchants/M0/callback-endpoint", undefined, 404, { code: "merchant_unknown" }],
    ["POST", "/merchants/M0/callback-endpoint/pause", undefined, 404, { code: "merchant_unknown" }],
  ] as const) {
    const answer = await desk.call(method, place, body);
    expect([place, answer.status, answer.body["error"]]).toEqual([place, status, expect.objectContaining(error)]);
  }
  expect(await audited()).toEqual(before);
});

test("an operator pauses a merchant's endpoint, tries it out and resumes it, in the audit's order", async () => {
  const endpoint = `${path}/callback-endpoint`;
  const before = (await audited()).length;
  expect((await desk.call("GET", endpoint)).body).toMatchObject({
    state: "Active",
    paused_by: "",
    paused_at: null,
    open_count: 0,
  });
  expect((await desk.call("POST", `${endpoint}/pause`)).body).toMatchObject({ state: "Paused", paused_by: "operator" });
  await scene.changeCard();
  const received = scene.server.received.length;
  await scene.deliver();
  expect(scene.server.received).toHaveLength(received);
  expect((await desk.call("POST", `${endpoint}/test`)).body).toEqual({
    delivered: true,
    http_status: 200,
    error: "",
    answer: takes.body,
    duration_ms: expect.any(Number),
    resumed: false,
  });
  expect((await desk.call("GET", endpoint)).body).toMatchObject({ state: "Paused", open_count: 1 });
  expect((await desk.call("POST", `${endpoint}/resume`)).body).toMatchObject({ state: "Active", paused_at: null });
  await scene.deliver();
  expect((await desk.call("GET", endpoint)).body).toMatchObject({ open_count: 0, open_count_is_exact: true });
  const { merchantNo } = scene.merchant.merchant;
  expect((await audited()).slice(before)).toEqual(
    ["pause", "test", "resume"].map((word) => ({
      action: `callback_endpoint.${word}`,
      subject: merchantNo,
      actor: "admin",
      detail: {},
    })),
  );
  const without = await scene.api.newMerchant("AUTHORIZATION");
  const tried = await desk.call("POST", `/merchants/${without.merchant.merchantNo}/callback-endpoint/test`);
  expect(tried).toMatchObject({ status: 409, body: { error: { code: "callback_url_missing" } } });
});
