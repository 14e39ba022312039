import { randomUUID } from "node:crypto";
import { startApi, type TestApi, type TestCredential, textAt } from "@cardwright/testing/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let api: TestApi;
let merchant: TestCredential;
let packageNo: string;
let cardholderNo: string;

/** The four lists with a period, and the number of their rows. */
const lists = [
  { path: "/cardholder/list", number: "cardholder_no" },
  { path: "/card/list", number: "card_no" },
  { path: "/account/transfer/list", number: "transfer_no" },
  { path: "/card/consume/list", number: "consume_no" },
] as const;

/** Moments at the edges of days in several zones; at each, one row comes into each list. */
const moments = {
  lastOf22InUtc8: Date.UTC(2026, 4, 22, 15, 59, 59, 999),
  firstOf23InUtc8: Date.UTC(2026, 4, 22, 16),
  lastOf22InIndia: Date.UTC(2026, 4, 22, 18, 29, 59, 999),
  firstOf23InIndia: Date.UTC(2026, 4, 22, 18, 30),
  lastOf22InUtcMinus5: Date.UTC(2026, 4, 23, 4, 59, 59, 999),
  firstOf23InUtcMinus5: Date.UTC(2026, 4, 23, 5),
} as const;
type Moment = keyof typeof moments;

beforeAll(async () => {
  api = await startApi();
  merchant = await api.newMerchant("CREDIT_EXTENSION");
  packageNo = await api.newPackage(await api.newBin(), { cardsPerCardholderMax: 1_000 });
  cardholderNo = await api.approvedCardholder(merchant);
  await transfer({ balance: "1000" });
  for (const at of Object.values(moments)) {
    api.clock.advance(at - api.clock.now());
    await api.cardholder(merchant, "pending");
    await transfer({ balance: "1" });
    await openCard();
  }
});
afterAll(() => api.close());

async function transfer(changes: object): Promise<void> {
  const body = { cardholder_no: cardholderNo, transfer_unique_no: randomUUID(), type: "In", ...changes };
  expect((await api.post(merchant, "/account/transfer", body)).code).toBe(0);
}

async function openCard(): Promise<void> {
  const body = {
    package_no: packageNo,
    cardholder_no: cardholderNo,
    card_unique_no: randomUUID(),
    card_type: "Virtual",
  };
  expect((await api.post(merchant, "/card/apply", body)).code).toBe(0);
}

interface Row {
  readonly time: number;
  readonly [key: string]: unknown;
}

async function rowsOf(path: string, body: object, timezone?: string): Promise<readonly Row[]> {
  const answer = await api.post(merchant, path, body, { headers: { Timezone: timezone } });
  expect(answer.code).toBe(0);
  expect(Object.keys(answer.data)).toEqual(["list"]);
  return answer.data["list"] as unknown as Row[];
}

/** The moments whose rows a list answered; those of the set-up are left out. */
async function momentsIn(path: string, period: object, timezone?: string): Promise<string[]> {
  const rows = await rowsOf(path, { ...period, size: 100 }, timezone);
  const names = Object.keys(moments) as Moment[];
  return names.filter((name) => rows.some((row) => row.time === moments[name]));
}

const the22nd = { start_time: "2026-05-22", end_time: "2026-05-22" };
const the23rd = { start_time: "2026-05-23", end_time: "2026-05-23" };
const all = { start_time: "2026-05-20", end_time: "2026-05-25" };

describe.each(lists)("$path", ({ path, number }) => {
  test("a bare date is that whole day in UTC+8, when no Timezone is given", async () => {
    expect(await momentsIn(path, the22nd)).toEqual(["lastOf22InUtc8"]);
    expect(await momentsIn(path, the22nd, "UTC+8")).toEqual(["lastOf22InUtc8"]);
    expect(await momentsIn(path, the23rd)).toEqual(Object.keys(moments).slice(1));
  });

  test("the day is the caller's own in other zones, also those of half an hour and west of UTC", async () => {
    expect(await momentsIn(path, the22nd, "UTC+05:30")).toEqual(Object.keys(moments).slice(0, 3));
    expect(await momentsIn(path, the23rd, "UTC+05:30")).toEqual(Object.keys(moments).slice(3));
    expect(await momentsIn(path, the22nd, "UTC-5")).toEqual(Object.keys(moments).slice(0, 5));
    expect(await momentsIn(path, the23rd, "UTC-5")).toEqual(["firstOf23InUtcMinus5"]);
    expect(await momentsIn(path, the22nd, "UTC+0")).toEqual(Object.keys(moments).slice(0, 4));
  });

  test("a date-time starts with its first and ends with its last millisecond", async () => {
    const toMidnight = { start_time: "2026-05-22 23:59:59", end_time: "2026-05-23 00:00:00" };
    expect(await momentsIn(path, toMidnight)).toEqual(["lastOf22InUtc8", "firstOf23InUtc8"]);
    const beforeMidnight = { start_time: "2026-05-22 23:59:58", end_time: "2026-05-22 23:59:59" };
    expect(await momentsIn(path, beforeMidnight)).toEqual(["lastOf22InUtc8"]);
    const afterMidnight = { start_time: "2026-05-23 00:00:00", end_time: "2026-05-23 00:00:01" };
    expect(await momentsIn(path, afterMidnight)).toEqual(["firstOf23InUtc8"]);
  });

  test("rows come newest first, page by page, each exactly once", async () => {
    const whole = await rowsOf(path, { ...all, size: 100 });
    expect(whole.length).toBeGreaterThanOrEqual(6);
    const numbers = whole.map((row) => String(row[number]));
    expect(numbers).toEqual(numbers.toSorted().toReversed());
    expect(whole.map(({ time }) => time)).toEqual(whole.map(({ time }) => time).toSorted((a, b) => b - a));

    const paged: string[] = [];
    for (let page = 0; page < whole.length; page += 1) {
      const rows = await rowsOf(path, { ...all, page, size: 2 });
      paged.push(...rows.map((row) => String(row[number])));
    }
    expect(paged).toEqual(numbers);
    expect(await rowsOf(path, { ...all, page: 1_000, size: 100 })).toEqual([]);
    expect(await rowsOf(path, { ...all, page: 1_000_000, size: 1 })).toEqual([]);
  });

  test("its own number and the cardholder's filter it", async () => {
    const whole = await rowsOf(path, { ...all, size: 100 });
    const some = String(whole[2]?.[number]);
    expect(await rowsOf(path, { ...all, [number]: some })).toEqual([whole[2]]);
    const ofCardholder = await rowsOf(path, { ...all, cardholder_no: cardholderNo, size: 100 });
    expect(ofCardholder).toEqual(whole.filter((row) => row["cardholder_no"] === cardholderNo));
    expect(ofCardholder.length).toBeGreaterThan(0);
    expect(await rowsOf(path, { ...all, cardholder_no: "U202605220001" })).toEqual([]);
    expect(await rowsOf(path, { start_time: "2026-05-10", end_time: "2026-05-11", [number]: some })).toEqual([]);
  });

  test("times that are missing, do not exist or lie wrongly are told by their field and code", async () => {
    const refusal = async (body: object) => {
      const { code, msg } = await api.post(merchant, path, body);
      return `${code} ${msg}`;
    };
    const startWrong = "1004 start_time invalid parameter";
    const endWrong = "1004 end_time invalid parameter";
    expect(await refusal({})).toBe(startWrong);
    expect(await refusal({ start_time: "2026-05-22" })).toBe(endWrong);
    for (const wrong of [
      "2026-02-30",
      "2026-13-01",
      "2026-05-22 24:00:00",
      "2026-05-22 12:60:00",
      "2026-5-2",
      "2026-05-22T00:00:00",
      "2026-05-22 00:00",
      "20260522",
      " 2026-05-22",
      "yesterday",
      "",
    ]) {
      expect(await refusal({ start_time: wrong, end_time: "2026-05-22" })).toBe(startWrong);
      expect(await refusal({ start_time: "2026-05-22", end_time: wrong })).toBe(endWrong);
    }
    const codeOf = async (start_time: string, end_time: string) =>
      (await api.post(merchant, path, { start_time, end_time })).code;
    expect(await codeOf("2026-05-22", "2026-05-22")).toBe(0);
    expect(await codeOf("2026-05-22", "2026-05-21")).toBe(1019);
    expect(await codeOf("2026-05-22 10:00:00", "2026-05-22 10:00:00")).toBe(1019);
    expect(await codeOf("2026-03-01", "2026-05-29")).toBe(0);
    expect(await codeOf("2026-03-01", "2026-05-30")).toBe(1020);
    expect(await codeOf("2026-03-01 10:00:00", "2026-05-30 10:00:00")).toBe(0);
    expect(await codeOf("2026-03-01 10:00:00", "2026-05-30 10:00:01")).toBe(1020);
    // The ends of what a date can say are periods like any other.
    expect(await codeOf("0001-01-01", "0001-01-02")).toBe(0);
    expect(await codeOf("0000-01-01", "0000-01-01")).toBe(0);
    expect(await codeOf("9999-12-30", "9999-12-31")).toBe(0);
  });

  test("page and size are whole numbers within their bounds", async () => {
    const refusal = async (body: object) => {
      const { code, msg } = await api.post(merchant, path, { ...all, ...body });
      return `${code} ${msg}`;
    };
    for (const size of [0, 101, -1, 1.5, 1e308]) expect(await refusal({ size })).toBe("1004 size invalid parameter");
    for (const page of [-1, 0.5, 1_000_001]) expect(await refusal({ page })).toBe("1004 page invalid parameter");
    expect(await refusal({ page: "0" })).toBe("4010 page parameter of the wrong type");
    expect(await refusal({ size: true })).toBe("4010 size parameter of the wrong type");
    expect(await refusal({ page: null, size: null })).toBe("0 Success");
  });
});

test("a page has ten rows unless told otherwise, and ties go by the higher number", async () => {
  for (let count = 0; count < 25; count += 1) await transfer({ balance: "0.01" });
  const now = await rowsOf("/account/transfer/list", { ...the23rd });
  expect(now).toHaveLength(10);
  const pages = [0, 1, 2].map((page) => rowsOf("/account/transfer/list", { ...the23rd, page }));
  const numbers = (await Promise.all(pages)).flat().map((row) => textAt(row, "transfer_no"));
  expect(new Set(numbers).size).toBe(30);
  expect(numbers).toEqual(numbers.toSorted().toReversed());
});

test("products are paged like everything else", async () => {
  const bin = await api.newBin();
  for (let count = 0; count < 3; count += 1) await api.newPackage(bin);
  const page = async (body: object) => rowsOf("/card/package/list", body);
  const whole = await page({});
  expect(whole).toHaveLength(4);
  expect([...(await page({ size: 3 })), ...(await page({ size: 3, page: 1 }))]).toEqual(whole);
  expect(await page({ package_no: packageNo })).toEqual([whole[3]]);
  expect(await page({ package_no: "P202605220001" })).toEqual([]);
  expect((await api.post(merchant, "/card/package/list", { type: "Plastic" })).msg).toBe("type invalid parameter");
});

test("a list by the merchant's own unique number finds its one row", async () => {
  const unique = { transfer_unique_no: "mine", balance: "1", cardholder_no: cardholderNo, type: "In" };
  await api.post(merchant, "/account/transfer", unique);
  const found = await rowsOf("/account/transfer/list", { ...all, transfer_unique_no: "mine" });
  expect(found).toMatchObject([{ transfer_unique_no: "mine" }]);
  expect(await rowsOf("/account/transfer/list", { ...all, transfer_unique_no: "not mine" })).toEqual([]);
  expect(await rowsOf("/card/list", { ...all, card_unique_no: "not mine" })).toEqual([]);
  expect(await rowsOf("/cardholder/list", { ...all, cardholder_unique_no: "not mine" })).toEqual([]);
});
