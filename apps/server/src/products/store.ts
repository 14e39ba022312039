import { type CardType, type FeeDetail, ZERO_FEE_DETAIL } from "@cardwright/contract";
import type { Sql } from "#database/index.ts";
import type { Bin, Package, Product, ProductStatus } from "./product.ts";
import type { ProductLimits } from "./terms.ts";

interface TermsRow {
  limit_balance: bigint;
  limit_week_balance: bigint;
  limit_atm_day_balance: bigint;
  limit_atm_month_balance: bigint;
  rates: FeeDetail;
}

interface ProductRow extends TermsRow {
  status: ProductStatus;
  support_virtual: boolean;
  support_physical: boolean;
  cards_per_cardholder_max: number;
  offered_to: number[] | null;
  terms_version: number;
  created_at: bigint;
}

interface BinRow extends ProductRow {
  card_bin_no: string;
  bin: string;
  pan_length: number;
  organization: string;
  currencies: string[];
  valid_months: number;
}

interface PackageRow extends ProductRow {
  package_no: string;
  card_bin_no: string;
  en_name: string;
  cn_name: string;
  en_desc: string;
  cn_desc: string;
  en_tag_list: string[];
  cn_tag_list: string[];
}

const termsColumns =
  "t.limit_balance, t.limit_week_balance, t.limit_atm_day_balance, t.limit_atm_month_balance, t.rates";

/** p is the product, t its present terms. */
const productColumns = `p.status, p.support_virtual, p.support_physical, p.cards_per_cardholder_max, p.offered_to, p.terms_version,
  p.created_at, ${termsColumns}`;

const selectBinText = `SELECT p.card_bin_no, p.bin, p.pan_length, p.organization, p.currencies, p.valid_months, ${productColumns}
  FROM bin p JOIN product_terms t ON t.product_no = p.card_bin_no AND t.terms_version = p.terms_version`;

const selectPackageText = `SELECT p.package_no, p.card_bin_no, p.en_name, p.cn_name, p.en_desc, p.cn_desc, p.en_tag_list, p.cn_tag_list,
    ${productColumns}
  FROM package p JOIN product_terms t ON t.product_no = p.package_no AND t.terms_version = p.terms_version`;

function toLimits(row: TermsRow): ProductLimits {
  return {
    purchase: row.limit_balance,
    week: row.limit_week_balance,
    atmDay: row.limit_atm_day_balance,
    atmMonth: row.limit_atm_month_balance,
  };
}

/** jsonb does not keep the order of keys, the wire has one; a key that a stored version is older than costs nothing. */
function toFees(row: TermsRow): FeeDetail {
  return { ...ZERO_FEE_DETAIL, ...row.rates };
}

function toProduct(row: ProductRow): Product {
  return {
    status: row.status,
    supportVirtual: row.support_virtual,
    supportPhysical: row.support_physical,
    cardsPerCardholderMax: row.cards_per_cardholder_max,
    offeredTo: row.offered_to,
    termsVersion: row.terms_version,
    limits: toLimits(row),
    feeDetail: toFees(row),
    createdAt: Number(row.created_at),
  };
}

function toBin(row: BinRow): Bin {
  return {
    ...toProduct(row),
    cardBinNo: row.card_bin_no,
    bin: row.bin,
    panLength: row.pan_length,
    organization: row.organization,
    currencies: row.currencies,
    validMonths: row.valid_months,
  };
}

function toPackage(row: PackageRow): Package {
  return {
    ...toProduct(row),
    packageNo: row.package_no,
    cardBinNo: row.card_bin_no,
    enName: row.en_name,
    cnName: row.cn_name,
    enDesc: row.en_desc,
    cnDesc: row.cn_desc,
    enTagList: row.en_tag_list,
    cnTagList: row.cn_tag_list,
  };
}

export async function insertTerms(
  sql: Sql,
  terms: { productNo: string; version: number; limits: ProductLimits; feeDetail: FeeDetail; createdAt: number },
): Promise<void> {
  const { productNo, version, limits, feeDetail, createdAt } = terms;
  await sql.query(
    `INSERT INTO product_terms (product_no, terms_version, limit_balance, limit_week_balance, limit_atm_day_balance,
       limit_atm_month_balance, rates, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [productNo, version, limits.purchase, limits.week, limits.atmDay, limits.atmMonth, feeDetail, createdAt],
  );
}

export async function selectTerms(
  sql: Sql,
  key: { productNo: string; version: number },
): Promise<{ limits: ProductLimits; feeDetail: FeeDetail } | null> {
  const { rows } = await sql.query<TermsRow>({
    name: "products_terms",
    text: `SELECT ${termsColumns} FROM product_terms t WHERE t.product_no = $1 AND t.terms_version = $2`,
    values: [key.productNo, key.version],
  });
  const row = rows[0];
  return row === undefined ? null : { limits: toLimits(row), feeDetail: toFees(row) };
}

export async function insertBin(sql: Sql, bin: Bin): Promise<void> {
  await sql.query(
    `INSERT INTO bin (card_bin_no, bin, pan_length, organization, support_virtual, support_physical, currencies, valid_months,
       cards_per_cardholder_max, status, offered_to, terms_version, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      bin.cardBinNo,
      bin.bin,
      bin.panLength,
      bin.organization,
      bin.supportVirtual,
      bin.supportPhysical,
      bin.currencies,
      bin.validMonths,
      bin.cardsPerCardholderMax,
      bin.status,
      bin.offeredTo,
      bin.termsVersion,
      bin.createdAt,
    ],
  );
}

export async function updateBinRow(sql: Sql, bin: Bin): Promise<void> {
  await sql.query(
    `UPDATE bin SET support_virtual = $2, support_physical = $3, currencies = $4, valid_months = $5,
       cards_per_cardholder_max = $6, status = $7, offered_to = $8, terms_version = $9
     WHERE card_bin_no = $1`,
    [
      bin.cardBinNo,
      bin.supportVirtual,
      bin.supportPhysical,
      bin.currencies,
      bin.validMonths,
      bin.cardsPerCardholderMax,
      bin.status,
      bin.offeredTo,
      bin.termsVersion,
    ],
  );
}

export async function selectBin(sql: Sql, cardBinNo: string): Promise<Bin | null> {
  const { rows } = await sql.query<BinRow>(`${selectBinText} WHERE p.card_bin_no = $1`, [cardBinNo]);
  return rows[0] === undefined ? null : toBin(rows[0]);
}

/**
 * The lock is taken by a statement of its own: a joined one that had waited would see the new product with the snapshot of
 * before, in which the new terms do not exist.
 */
export async function lockBin(sql: Sql, cardBinNo: string): Promise<Bin | null> {
  await sql.query("SELECT FROM bin WHERE card_bin_no = $1 FOR NO KEY UPDATE", [cardBinNo]);
  return selectBin(sql, cardBinNo);
}

export async function selectBins(sql: Sql, page: { page: number; size: number }): Promise<Bin[]> {
  const { rows } = await sql.query<BinRow>(`${selectBinText} ORDER BY p.card_bin_no DESC LIMIT $1 OFFSET $2`, [
    page.size,
    page.page * page.size,
  ]);
  return rows.map(toBin);
}

/** The BINs that are on and offered to the merchant, newest first. */
export async function selectOfferedBins(
  sql: Sql,
  filter: { merchantId: number; cardBinNo: string | null; page: number; size: number },
): Promise<Bin[]> {
  const { rows } = await sql.query<BinRow>(
    `${selectBinText}
     WHERE p.status = 'On' AND (p.offered_to IS NULL OR $1 = ANY (p.offered_to)) AND ($2::text IS NULL OR p.card_bin_no = $2)
     ORDER BY p.card_bin_no DESC LIMIT $3 OFFSET $4`,
    [filter.merchantId, filter.cardBinNo, filter.size, filter.page * filter.size],
  );
  return rows.map(toBin);
}

export async function insertPackage(sql: Sql, product: Package): Promise<void> {
  await sql.query(
    `INSERT INTO package (package_no, card_bin_no, en_name, cn_name, en_desc, cn_desc, en_tag_list, cn_tag_list, support_virtual,
       support_physical, cards_per_cardholder_max, status, offered_to, terms_version, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      product.packageNo,
      product.cardBinNo,
      product.enName,
      product.cnName,
      product.enDesc,
      product.cnDesc,
      product.enTagList,
      product.cnTagList,
      product.supportVirtual,
      product.supportPhysical,
      product.cardsPerCardholderMax,
      product.status,
      product.offeredTo,
      product.termsVersion,
      product.createdAt,
    ],
  );
}

export async function updatePackageRow(sql: Sql, product: Package): Promise<void> {
  await sql.query(
    `UPDATE package SET en_name = $2, cn_name = $3, en_desc = $4, cn_desc = $5, en_tag_list = $6, cn_tag_list = $7,
       support_virtual = $8, support_physical = $9, cards_per_cardholder_max = $10, status = $11, offered_to = $12, terms_version = $13
     WHERE package_no = $1`,
    [
      product.packageNo,
      product.enName,
      product.cnName,
      product.enDesc,
      product.cnDesc,
      product.enTagList,
      product.cnTagList,
      product.supportVirtual,
      product.supportPhysical,
      product.cardsPerCardholderMax,
      product.status,
      product.offeredTo,
      product.termsVersion,
    ],
  );
}

export async function selectPackage(sql: Sql, packageNo: string): Promise<Package | null> {
  const { rows } = await sql.query<PackageRow>(`${selectPackageText} WHERE p.package_no = $1`, [packageNo]);
  return rows[0] === undefined ? null : toPackage(rows[0]);
}

/** Two statements for the reason told at `lockBin`. */
export async function lockPackage(sql: Sql, packageNo: string): Promise<Package | null> {
  await sql.query("SELECT FROM package WHERE package_no = $1 FOR NO KEY UPDATE", [packageNo]);
  return selectPackage(sql, packageNo);
}

export async function selectPackages(sql: Sql, page: { page: number; size: number }): Promise<Package[]> {
  const { rows } = await sql.query<PackageRow>(`${selectPackageText} ORDER BY p.package_no DESC LIMIT $1 OFFSET $2`, [
    page.size,
    page.page * page.size,
  ]);
  return rows.map(toPackage);
}

/** A package as a merchant sees it: what its BIN cannot make is not offered. */
export interface OfferedPackage extends Package {
  readonly bin: string;
  readonly organization: string;
}

/** The packages that are on and offered to the merchant, on BINs that are too, newest first. */
export async function selectOfferedPackages(
  sql: Sql,
  filter: { merchantId: number; packageNo: string | null; type: CardType | null; page: number; size: number },
): Promise<OfferedPackage[]> {
  const { rows } = await sql.query<
    PackageRow & { bin: string; organization: string; bin_virtual: boolean; bin_physical: boolean }
  >(
    `SELECT p.package_no, p.card_bin_no, p.en_name, p.cn_name, p.en_desc, p.cn_desc, p.en_tag_list, p.cn_tag_list, ${productColumns},
       b.bin, b.organization, b.support_virtual AS bin_virtual, b.support_physical AS bin_physical
     FROM package p
     JOIN product_terms t ON t.product_no = p.package_no AND t.terms_version = p.terms_version
     JOIN bin b USING (card_bin_no)
     WHERE p.status = 'On' AND b.status = 'On'
       AND (p.offered_to IS NULL OR $1 = ANY (p.offered_to)) AND (b.offered_to IS NULL OR $1 = ANY (b.offered_to))
       AND ((p.support_virtual AND b.support_virtual AND $3::text IS DISTINCT FROM 'Physical')
         OR (p.support_physical AND b.support_physical AND $3::text IS DISTINCT FROM 'Virtual'))
       AND ($2::text IS NULL OR p.package_no = $2)
     ORDER BY p.package_no DESC LIMIT $4 OFFSET $5`,
    [filter.merchantId, filter.packageNo, filter.type, filter.size, filter.page * filter.size],
  );
  return rows.map((row) => ({
    ...toPackage(row),
    supportVirtual: row.support_virtual && row.bin_virtual,
    supportPhysical: row.support_physical && row.bin_physical,
    bin: row.bin,
    organization: row.organization,
  }));
}
