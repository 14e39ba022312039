import { afterEach, beforeEach, expect, test } from "vitest";
import type { Cardholder } from "#cardholders/index.ts";
import { eventually, type KycStage, stageMerchantId as merchantId, openKycStage } from "./kyc-stage.ts";

let stage: KycStage;

beforeEach(async () => {
  stage = await openKycStage();
});
afterEach(() => stage.close());

async function applied(token: string): Promise<string> {
  const application = { merchantId, cardholderUniqueNo: `unique ${token}`, sumsubShareToken: token };
  const answer = await stage.cardholders.apply(application);
  if (!answer.ok) throw new Error(answer.reason);
  return answer.value.cardholderNo;
}

const found = (cardholderNo: string): Promise<Cardholder | null> =>
  stage.cardholders.find({ merchantId, cardholderNo });
const becomes = (cardholderNo: string, status: string): Promise<void> =>
  eventually(async () => (await found(cardholderNo))?.status === status);

async function reviewed(token: string): Promise<string> {
  const cardholderNo = await applied(token);
  await stage.letReviewEnd(cardholderNo);
  return cardholderNo;
}

async function poll(waitMs: number): Promise<void> {
  stage.clock.advance(waitMs);
  await stage.cardholders.pollDue(100);
}

async function changes(cardholderNo: string): Promise<string[]> {
  const { rows } = await stage.db.pool.query<{ change: string }>(
    `SELECT before_status || ' > ' || after_status || ': ' || reason AS change FROM cardholder_status_change
     WHERE merchant_id = $1 AND cardholder_no = $2 ORDER BY change_id`,
    [merchantId, cardholderNo],
  );
  return rows.map(({ change }) => change);
}

async function review(cardholderNo: string, verdict: object): Promise<void> {
  const { status } = await stage.control(
    `/simulator/applicants/${await stage.applicantOf(cardholderNo)}/review`,
    verdict,
  );
  expect(status).toBe(200);
}

test("an approval arrives by webhook, with the person's own e-mail and names, and opens the accounts once", async () => {
  const applicant = { email: "grace@example.com", firstName: "Grace", lastName: "Hopper" };
  const { json } = await stage.control("/simulator/share-tokens", { outcome: "approve", applicant });
  const cardholderNo = await reviewed(String(json["token"]));
  await becomes(cardholderNo, "Approved");
  expect(await found(cardholderNo)).toMatchObject({ ...applicant, failReason: "" });
  expect(await stage.cardholders.isApproved({ merchantId, cardholderNo })).toBe(true);
  expect(await stage.cardholders.isApproved({ merchantId: merchantId + 1, cardholderNo })).toBe(false);
  expect(stage.approved).toEqual([{ merchantId, cardholderNo }]);
});

test.each([
  ["reject-1", "The document is a forgery."],
  ["retry-1", "The photo is blurred, please take it again."],
])("a rejection of %s arrives with its reason and opens nothing", async (token, failReason) => {
  const cardholderNo = await reviewed(token);
  await becomes(cardholderNo, "Rejected");
  expect(await found(cardholderNo)).toMatchObject({ failReason });
  expect(stage.approved).toEqual([]);
});

test("a review that is put on hold is In_progress", async () => {
  const cardholderNo = await reviewed("hold-1");
  await eventually(async () => (await changes(cardholderNo)).length > 0);
  expect(await found(cardholderNo)).toMatchObject({ status: "In_progress", failReason: "" });
});

test("a pending applicant is In_progress until somebody decides", async () => {
  stage.webhookStatus = 200;
  const cardholderNo = await applied("pending-1");
  await poll(1_000);
  expect((await found(cardholderNo))?.status).toBe("In_progress");
  await poll(24 * 3_600_000);
  expect((await found(cardholderNo))?.status).toBe("In_progress");
  stage.webhookStatus = null;
  await review(cardholderNo, { reviewAnswer: "GREEN" });
  await becomes(cardholderNo, "Approved");
});

test("an approval whose webhook never comes is found by polling", async () => {
  const cardholderNo = await applied("silent-1");
  await eventually(async () => {
    await poll(1_000);
    return (await found(cardholderNo))?.status === "Approved";
  });
  expect(await stage.webhookTries()).toEqual([]);
  const { fetches } = stage.calls;
  await poll(30 * 24 * 3_600_000);
  expect(stage.calls.fetches).toBe(fetches);
});

test("a verdict given without a webhook is found after growing waits", async () => {
  stage.webhookStatus = 200;
  const cardholderNo = await applied("pending-1");
  await poll(0);
  for (const waitMs of [30_000, 60_000, 300_000]) {
    const { fetches } = stage.calls;
    await poll(waitMs - 1);
    expect(stage.calls.fetches).toBe(fetches);
    await poll(1);
    expect(stage.calls.fetches).toBe(fetches + 1);
  }
  await review(cardholderNo, { reviewAnswer: "RED", rejectLabels: ["FORGERY"], silent: true });
  await poll(1_800_000);
  expect(await found(cardholderNo)).toMatchObject({ status: "Rejected", failReason: "FORGERY" });
});

test("a final answer that is changed late is applied and recorded", async () => {
  const cardholderNo = await reviewed("late-1");
  await becomes(cardholderNo, "Approved");
  stage.clock.advance(60_000);
  await becomes(cardholderNo, "Rejected");
  expect(await found(cardholderNo)).toMatchObject({ failReason: "The document is a forgery." });
  expect((await changes(cardholderNo)).at(-1)).toBe("Approved > Rejected: The document is a forgery.");

  await review(cardholderNo, { reviewAnswer: "GREEN" });
  await becomes(cardholderNo, "Approved");
  expect(stage.approved).toHaveLength(1);
});

test("a review that is opened again after the approval is In_progress, and its second approval opens nothing", async () => {
  const cardholderNo = await reviewed("approve-1");
  await becomes(cardholderNo, "Approved");
  await review(cardholderNo, { reviewStatus: "init" });
  await becomes(cardholderNo, "In_progress");
  await review(cardholderNo, { reviewAnswer: "GREEN" });
  await becomes(cardholderNo, "Approved");
  expect(stage.approved).toHaveLength(1);
});

test("a webhook that was not taken is repeated by the provider after 5 minutes, 1, 5 and 18 hours", async () => {
  stage.webhookStatus = 503;
  const cardholderNo = await reviewed("approve-1");
  const tries = async (): Promise<number> =>
    (await stage.webhookTries()).filter(({ type }) => type === "applicantReviewed").length;
  await eventually(async () => (await tries()) === 1);
  for (const [index, waitMs] of [300_000, 3_600_000, 5 * 3_600_000].entries()) {
    stage.clock.advance(waitMs);
    await eventually(async () => (await tries()) === index + 2);
  }
  stage.webhookStatus = null;
  stage.clock.advance(18 * 3_600_000);
  await becomes(cardholderNo, "Approved");
  await eventually(async () => (await tries()) === 5);
  expect(stage.approved).toHaveLength(1);
});

test("repeated webhooks and webhooks out of order change nothing", async () => {
  const cardholderNo = await reviewed("approve-1");
  await becomes(cardholderNo, "Approved");
  const applicantId = await stage.applicantOf(cardholderNo);
  const before = await changes(cardholderNo);
  for (const type of ["applicantReviewed", "applicantPending", "applicantCreated", "applicantOnHold"]) {
    await eventually(async () => (await stage.cardholders.handleWebhook({ applicantId, type })) === "unchanged");
  }
  expect(await changes(cardholderNo)).toEqual(before);
  expect(stage.approved).toHaveLength(1);
});

test("20 webhooks at once approve once", async () => {
  stage.webhookStatus = 200;
  const cardholderNo = await reviewed("approve-1");
  const applicantId = await stage.applicantOf(cardholderNo);
  await eventually(async () => (await stage.webhookTries()).length === 2);
  await Promise.all(
    Array.from({ length: 20 }, () => stage.cardholders.handleWebhook({ applicantId, type: "applicantReviewed" })),
  );
  await becomes(cardholderNo, "Approved");
  expect(stage.approved).toHaveLength(1);
  expect(await changes(cardholderNo)).toHaveLength(1);
});

test("a webhook about somebody else's applicant is no cardholder's business", async () => {
  const event = { applicantId: "5d08a63239b79354a2ebaa1d", type: "applicantReviewed" };
  expect(await stage.cardholders.handleWebhook(event)).toBe("unknown_applicant");
});

test("a webhook with a wrong digest is refused and moves nothing", async () => {
  stage.webhookStatus = 200;
  const cardholderNo = await applied("pending-1");
  const body = JSON.stringify({ applicantId: await stage.applicantOf(cardholderNo), type: "applicantReviewed" });
  const headers = { "x-payload-digest": "00".repeat(32), "x-payload-digest-alg": "HMAC_SHA256_HEX" };
  const read = stage.cardholders.readWebhook({ rawBody: Buffer.from(body), headers });
  expect(read).toEqual({ ok: false, reason: "digest_mismatch" });
});

test("a webhook that arrives while the provider is being read makes the applicant read again", async () => {
  stage.webhookStatus = 200;
  const cardholderNo = await applied("pending-1");
  const applicantId = await stage.applicantOf(cardholderNo);
  const answer = Promise.withResolvers<void>();
  let isRead = false;
  stage.kyc = {
    ...stage.client,
    fetchApplicant: async (input) => {
      const applicant = await stage.client.fetchApplicant(input);
      isRead = true;
      await answer.promise;
      return applicant;
    },
  };
  stage.clock.advance(1_000);
  const round = stage.cardholders.pollDue(10);
  await eventually(() => isRead);
  stage.kyc = stage.client;
  await review(cardholderNo, { reviewAnswer: "GREEN", silent: true });
  expect(await stage.cardholders.handleWebhook({ applicantId, type: "applicantReviewed" })).toBe("deferred");
  answer.resolve();
  await round;
  expect((await found(cardholderNo))?.status).toBe("In_progress");
  await poll(0);
  expect((await found(cardholderNo))?.status).toBe("Approved");
});

test("an answer about the former applicant is dropped when a new application began meanwhile", async () => {
  const cardholderNo = await reviewed("reject-1");
  await becomes(cardholderNo, "Rejected");
  await review(cardholderNo, { reviewAnswer: "GREEN", silent: true });
  const applicantId = await stage.applicantOf(cardholderNo);
  const answer = Promise.withResolvers<void>();
  let isRead = false;
  stage.kyc = {
    ...stage.client,
    fetchApplicant: async (input) => {
      const applicant = await stage.client.fetchApplicant(input);
      isRead = true;
      await answer.promise;
      return applicant;
    },
  };
  const handled = stage.cardholders.handleWebhook({ applicantId, type: "applicantReviewed" });
  await eventually(() => isRead);
  stage.kyc = stage.client;
  const again = await stage.cardholders.apply({
    merchantId,
    cardholderNo,
    cardholderUniqueNo: "unique reject-1",
    sumsubShareToken: "pending-2",
  });
  expect(again).toMatchObject({ ok: true });
  answer.resolve();
  expect(await handled).toBe("superseded");
  expect((await found(cardholderNo))?.status).not.toBe("Approved");
});

test("while the provider is down a webhook is not lost: the poll makes up for it", async () => {
  const cardholderNo = await reviewed("approve-1");
  await becomes(cardholderNo, "Approved");
  const applicantId = await stage.applicantOf(cardholderNo);
  await review(cardholderNo, { reviewAnswer: "RED", silent: true });
  stage.kyc = { ...stage.client, fetchApplicant: async () => ({ ok: false, reason: "unreachable" }) };
  expect(await stage.cardholders.handleWebhook({ applicantId, type: "applicantReviewed" })).toBe("deferred");
  stage.kyc = stage.client;
  await poll(30_000);
  expect((await found(cardholderNo))?.status).toBe("Rejected");
});

test("many workers at once read each due applicant once", async () => {
  const cardholderNos = await Promise.all(Array.from({ length: 20 }, (_, n) => applied(`silent-${n}`)));
  stage.clock.advance(1_000);
  const workers = Array.from({ length: 5 }, () => stage.another().pollDue(7));
  const polled = (await Promise.all(workers)).reduce((sum, report) => sum + report.polled, 0);
  expect([polled, stage.calls.fetches]).toEqual([20, 20]);
  const all = await Promise.all(cardholderNos.map(found));
  expect(new Set(all.map((cardholder) => cardholder?.status))).toEqual(new Set(["Approved"]));
  expect(stage.approved).toHaveLength(20);
});

test("an applicant whose worker died is read by another one after the lease", async () => {
  const cardholderNo = await applied("silent-1");
  stage.clock.advance(1_000);
  stage.kyc = { ...stage.client, fetchApplicant: () => Promise.reject(new Error("the process died")) };
  await expect(stage.cardholders.pollDue(10)).rejects.toThrow("1 applicants could not be updated");
  stage.kyc = stage.client;
  await poll(0);
  expect((await found(cardholderNo))?.status).toBe("Pending");
  await poll(91_000);
  expect((await found(cardholderNo))?.status).toBe("Approved");
});

test("an approval whose accounts cannot be opened is undone and comes again", async () => {
  const cardholderNo = await applied("silent-1");
  stage.clock.advance(1_000);
  const failing = stage.another({ onApproved: () => Promise.reject(new Error("no accounts")) });
  await expect(failing.pollDue(10)).rejects.toThrow("1 applicants could not be updated");
  expect([(await found(cardholderNo))?.status, await changes(cardholderNo)]).toEqual(["Pending", []]);
  await poll(91_000);
  expect((await found(cardholderNo))?.status).toBe("Approved");
  expect(stage.approved).toHaveLength(1);
});

test("an applicant the provider no longer knows keeps its status and is still looked for", async () => {
  stage.webhookStatus = 200;
  const cardholderNo = await applied("pending-1");
  stage.clock.advance(1_000);
  stage.kyc = { ...stage.client, fetchApplicant: async () => ({ ok: false, reason: "not_found" }) };
  expect(await stage.cardholders.pollDue(10)).toEqual({ polled: 1, changed: 0, deferred: 1 });
  expect((await found(cardholderNo))?.status).toBe("Pending");
  stage.kyc = stage.client;
  await poll(30_000);
  expect((await found(cardholderNo))?.status).toBe("In_progress");
});
