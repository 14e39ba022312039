import { packageListData, RATE_KEYS, supportBinsData, ZERO_FEE_DETAIL } from "@cardwright/contract";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyAudit } from "#audit/index.ts";
import type { Result } from "#kernel/index.ts";
import {
  type Bin,
  createProducts,
  type NewBin,
  type NewPackage,
  type Package,
  type Products,
  rateObject,
} from "./index.ts";

const by = { actor: "operator", requestId: "test" };
let database: TestDatabase;
let products: Products;
let now = Date.UTC(2026, 4, 22, 12);

beforeAll(async () => {
  database = await createTestDatabase();
  products = createProducts({ pool: database.pool, clock: { now: () => now } });
});
afterAll(() => database.drop());

const limits = {
  limit_balance: "5000",
  limit_week_balance: "20000.5",
  limit_atm_day_balance: "1000.00",
  limit_atm_month_balance: "0",
};

function value<Value>(result: Result<Value, unknown>): Value {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.reason)}`);
  return result.value;
}

async function newBin(more: Partial<NewBin> = {}): Promise<Bin> {
  now += 1;
  const base = { bin: "45673512", organization: "VISA", supportVirtual: true, supportPhysical: true, limits };
  return value(await products.createBin({ ...base, ...more }, by));
}

async function newPackage(cardBinNo: string, more: Partial<NewPackage> = {}): Promise<Package> {
  now += 1;
  const names = { enName: "Everyday", cnName: "日常卡" };
  const base = { cardBinNo, ...names, supportVirtual: true, supportPhysical: false, limits };
  return value(await products.createPackage({ ...base, ...more }, by));
}

test("a new product costs nothing where no fee is given, and shows all keys of the wire in its order", async () => {
  const bin = await newBin();
  expect(bin.feeDetail).toEqual(ZERO_FEE_DETAIL);
  expect(Object.keys(rateObject(await products.terms({ productNo: bin.cardBinNo, version: 1 })))).toEqual([
    ...RATE_KEYS,
  ]);
  expect(await products.findBin(bin.cardBinNo)).toEqual(bin);
  expect(bin).toMatchObject({ panLength: 16, currencies: ["USD"], validMonths: 36, status: "On", offeredTo: null });
});

test("rates are kept in their shortest text and amounts with two decimals", async () => {
  const rates = { consume_rate: "0.050", cross_consume_rate: "1.0", open_cost: "5", atm_min_fee: "2.5" };
  const bin = await newBin({ rates });
  expect(bin.feeDetail).toEqual({
    ...ZERO_FEE_DETAIL,
    consume_rate: "0.05",
    cross_consume_rate: "1",
    open_cost: "5.00",
    atm_min_fee: "2.50",
  });
  const terms = await products.terms({ productNo: bin.cardBinNo, version: 1 });
  expect(terms.limits).toEqual({ purchase: 500_000n, week: 2_000_050n, atmDay: 100_000n, atmMonth: 0n });
  expect(terms.rates).toMatchObject({ consumeRate: { units: 5n, scale: 2 }, openCost: 500n, atmMinFee: 250n });
});

test("a threshold that counts purchases is a whole number", async () => {
  const counted = { management_fee_free_type: "Count", free_management_fee_threshold: "12" } as const;
  const bin = await newBin({ rates: counted });
  expect(bin.feeDetail.free_management_fee_threshold).toBe("12");
  const { rates } = await products.terms({ productNo: bin.cardBinNo, version: 1 });
  expect(rates.management).toMatchObject({ freeType: "Count", freeThreshold: 12n });
  const change = { rates: { free_management_fee_threshold: "12.5" } };
  expect(await products.updateBin({ cardBinNo: bin.cardBinNo, change }, by)).toMatchObject({
    ok: false,
    reason: { field: "rates.free_management_fee_threshold" },
  });
});

test.each([
  [{ bin: "12345" }, "bin"],
  [{ bin: "12345a" }, "bin"],
  [{ bin: "45673512345", panLength: 13 }, null],
  [{ panLength: 20 }, "panLength"],
  [{ currencies: ["USX"] }, "currencies"],
  [{ currencies: [] }, "currencies"],
  [{ validMonths: 0 }, "validMonths"],
  [{ organization: "a\u0000b" }, "organization"],
  [{ limits: { ...limits, limit_balance: "-1" } }, "limits.limit_balance"],
  [{ limits: { ...limits, limit_week_balance: "1.234" } }, "limits.limit_week_balance"],
  [{ limits: { ...limits, limit_balance: "99999999999999" } }, "limits.limit_balance"],
  [{ rates: { consume_rate: "5" } }, "rates.consume_rate"],
  [{ rates: { consume_rate: "1.01" } }, "rates.consume_rate"],
  [{ rates: { open_cost: "1e3" } }, "rates.open_cost"],
  [{ rates: { free_small_consume_count: 1.5 } }, "rates.free_small_consume_count"],
])("a BIN with %j names the wrong field", async (wrong, field) => {
  const base = { bin: "45673512", organization: "VISA", supportVirtual: true, supportPhysical: true, limits };
  const outcome = await products.createBin({ ...base, ...wrong }, by);
  expect(outcome).toMatchObject(field === null ? { ok: true } : { ok: false, reason: { field } });
});

test("a BIN must leave room for a serial and the check digit", async () => {
  const base = { organization: "VISA", supportVirtual: true, supportPhysical: true, limits };
  expect((await products.createBin({ ...base, bin: "45673512345", panLength: 13 }, by)).ok).toBe(true);
  expect(
    await products.createBin({ ...base, bin: "456735", supportVirtual: false, supportPhysical: false }, by),
  ).toEqual({
    ok: false,
    reason: "card_type_missing",
  });
});

test("new limits or rates are a new version, and the old one stays as it was", async () => {
  const bin = await newBin({ rates: { consume_rate: "0.01", decline_fee: "0.50" } });
  const key = { cardBinNo: bin.cardBinNo };
  const before = await products.terms({ productNo: bin.cardBinNo, version: 1 });
  const change = { rates: { consume_rate: "0.02" }, limits: { limit_balance: "6000.00" } };
  const changed = value(await products.updateBin({ ...key, change }, by));
  expect(changed.termsVersion).toBe(2);
  expect(changed.feeDetail).toMatchObject({ consume_rate: "0.02", decline_fee: "0.50" });
  expect(changed.limits).toEqual({ ...bin.limits, purchase: 600_000n });
  expect(await products.terms({ productNo: bin.cardBinNo, version: 1 })).toEqual(before);
  const fresh = createProducts({ pool: database.pool, clock: { now: () => now } });
  expect(await fresh.terms({ productNo: bin.cardBinNo, version: 1 })).toEqual(before);
  expect((await fresh.terms({ productNo: bin.cardBinNo, version: 2 })).feeDetail).toEqual(changed.feeDetail);
});

test("a change that leaves the terms alone makes no version, and one that changes nothing no audit entry", async () => {
  const bin = await newBin();
  const update = (change: Parameters<Products["updateBin"]>[0]["change"]) =>
    products.updateBin({ cardBinNo: bin.cardBinNo, change }, by);
  expect(value(await update({ status: "Off", validMonths: 48 }))).toMatchObject({ termsVersion: 1, validMonths: 48 });
  expect(
    value(await update({ rates: { consume_rate: "0.0" }, limits: { limit_balance: "5000.00" } })).termsVersion,
  ).toBe(1);
  const { rows } = await database.pool.query("SELECT action FROM audit_entry WHERE subject = $1 ORDER BY entry_no", [
    bin.cardBinNo,
  ]);
  expect(rows.map((row) => row.action)).toEqual(["bin.create", "bin.update"]);
  expect(await verifyAudit(database.pool)).toMatchObject({ ok: true });
});

test("twenty changes at once are twenty versions", async () => {
  const { packageNo } = await newPackage((await newBin()).cardBinNo);
  const rates = Array.from({ length: 20 }, (_, index) => ({ consume_rate: `0.0${index + 10}` }));
  await Promise.all(rates.map((each) => products.updatePackage({ packageNo, change: { rates: each } }, by)));
  expect((await products.findPackage(packageNo))?.termsVersion).toBe(21);
  const { rows } = await database.pool.query("SELECT FROM product_terms WHERE product_no = $1", [packageNo]);
  expect(rows).toHaveLength(21);
});

test("terms cannot be changed, not even by the application's role", async () => {
  const bin = await newBin();
  await expect(database.pool.query("UPDATE product_terms SET limit_balance = 1")).rejects.toMatchObject({
    code: "42501",
  });
  await expect(products.terms({ productNo: bin.cardBinNo, version: 7 })).rejects.toThrow("no terms of version 7");
});

test("a package offers what its BIN can make, and nothing on a BIN that does not exist", async () => {
  const virtualOnly = await newBin({ supportPhysical: false });
  const base = { cardBinNo: virtualOnly.cardBinNo, enName: "E", cnName: "日", supportVirtual: true, limits };
  expect(await products.createPackage({ ...base, supportPhysical: true }, by)).toEqual({
    ok: false,
    reason: "card_type_not_on_bin",
  });
  expect(await products.createPackage({ ...base, cardBinNo: "B0", supportPhysical: false }, by)).toEqual({
    ok: false,
    reason: "bin_unknown",
  });
  expect(await products.updatePackage({ packageNo: "P0", change: {} }, by)).toEqual({
    ok: false,
    reason: "package_unknown",
  });
});

const merchantId = 77;

test("a merchant sees the packages that are on and offered to it, on BINs that are too", async () => {
  const open = await newBin();
  const others = await newBin({ offeredTo: [1, 2] });
  const first = await newPackage(open.cardBinNo, {
    offeredTo: [merchantId],
    enTagList: ["Online"],
    supportPhysical: true,
  });
  const second = await newPackage(open.cardBinNo);
  await newPackage(open.cardBinNo, { offeredTo: [1] });
  await newPackage(others.cardBinNo);
  const off = await newPackage(open.cardBinNo);
  value(await products.updatePackage({ packageNo: off.packageNo, change: { status: "Off" } }, by));

  const onOpenBin = async (filter: { type?: "Virtual" | "Physical"; page?: number; size?: number } = {}) =>
    (await products.listPackages({ merchantId, page: 0, size: 100, ...filter })).filter(
      (row) => row.card_bin_no === open.cardBinNo || row.card_bin_no === others.cardBinNo,
    );
  const rows = await onOpenBin();
  expect(rows.map((row) => row.package_no)).toEqual([second.packageNo, first.packageNo]);
  expect(rows.map((row) => row.package_type)).toEqual(["Virtual", "Virtual,Physical"]);
  expect((await onOpenBin({ type: "Physical" })).map((row) => row.package_no)).toEqual([first.packageNo]);
  expect((await onOpenBin({ page: 1, size: 1 })).map((row) => row.package_no)).toEqual([first.packageNo]);
  const one = await products.listPackages({ merchantId, packageNo: first.packageNo, page: 0, size: 10 });
  expect(one).toEqual([
    {
      package_no: first.packageNo,
      package_en_name: "Everyday",
      package_cn_name: "日常卡",
      card_bin: "45673512",
      card_bin_no: open.cardBinNo,
      organization: "VISA",
      package_type: "Virtual,Physical",
      en_desc: "",
      cn_desc: "",
      en_tag_list: ["Online"],
      cn_tag_list: [],
      consumption_limit: {
        limit_balance: "5000.00",
        limit_week_balance: "20000.50",
        limit_atm_day_balance: "1000.00",
        limit_atm_month_balance: "0.00",
      },
      fee_detail: ZERO_FEE_DETAIL,
    },
  ]);
  expect(packageListData.parse({ list: rows })).toEqual({ list: rows });

  value(await products.updateBin({ cardBinNo: open.cardBinNo, change: { status: "Off" } }, by));
  expect(await onOpenBin()).toEqual([]);
  expect(await products.forApplication({ merchantId, packageNo: first.packageNo })).toEqual({
    ok: false,
    reason: "package_not_available",
  });
});

test("a merchant sees the BINs that are on and offered to it, in the wire's shape", async () => {
  const bin = await newBin({ offeredTo: [merchantId], currencies: ["USD", "EUR"], supportVirtual: false });
  const rows = await products.listBins({ merchantId, cardBinNo: bin.cardBinNo, page: 0, size: 10 });
  expect(rows).toEqual([
    {
      card_bin_no: bin.cardBinNo,
      card_bin: "45673512",
      organization: "VISA",
      support_physical: true,
      support_virtual: false,
      currencies: ["USD", "EUR"],
      balance_limit: {
        limit_balance: "5000.00",
        limit_week_balance: "20000.50",
        limit_atm_day_balance: "1000.00",
        limit_atm_month_balance: "0.00",
      },
    },
  ]);
  expect(supportBinsData.parse({ list: rows })).toEqual({ list: rows });
  expect(await products.listBins({ merchantId: 1, cardBinNo: bin.cardBinNo, page: 0, size: 10 })).toEqual([]);
});

test("an application gets BIN, versions and opening costs of both sides", async () => {
  const bin = await newBin({ rates: { open_cost: "0.75" }, validMonths: 24, cardsPerCardholderMax: 5 });
  const product = await newPackage(bin.cardBinNo, { rates: { open_cost: "5.00" }, cardsPerCardholderMax: 3 });
  value(await products.updateBin({ cardBinNo: bin.cardBinNo, change: { rates: { atm_rate: "0.1" } } }, by));
  const common = {
    cardBinNo: bin.cardBinNo,
    binTermsVersion: 2,
    bin: "45673512",
    panLength: 16,
    organization: "VISA",
    supportVirtual: true,
    validMonths: 24,
  };
  expect(await products.forApplication({ merchantId, packageNo: product.packageNo })).toEqual({
    ok: true,
    value: {
      ...common,
      packageNo: product.packageNo,
      packageTermsVersion: 1,
      supportPhysical: false,
      cardsPerCardholderMax: 3,
      openCost: { cardholder: 500n, reserve: 75n },
    },
  });
  expect(await products.forApplication({ merchantId, cardBinNo: bin.cardBinNo })).toEqual({
    ok: true,
    value: {
      ...common,
      packageNo: null,
      packageTermsVersion: null,
      supportPhysical: true,
      cardsPerCardholderMax: 5,
      openCost: { cardholder: 0n, reserve: 75n },
    },
  });
});

test("a product that is unknown, off or another merchant's is not available", async () => {
  const bin = await newBin({ offeredTo: [1] });
  for (const cardBinNo of ["B0", bin.cardBinNo]) {
    expect(await products.forApplication({ merchantId, cardBinNo })).toEqual({
      ok: false,
      reason: "bin_not_available",
    });
  }
  value(await products.updateBin({ cardBinNo: bin.cardBinNo, change: { offeredTo: null } }, by));
  expect((await products.forApplication({ merchantId, cardBinNo: bin.cardBinNo })).ok).toBe(true);
  value(await products.updateBin({ cardBinNo: bin.cardBinNo, change: { status: "Off" } }, by));
  expect((await products.forApplication({ merchantId, cardBinNo: bin.cardBinNo })).ok).toBe(false);
});
