import type { CardStatus, MerchantMode } from "@cardwright/contract";
import type { Sql } from "#database/index.ts";
import { type FeeCounters, type FreeCounter, unusedCounter } from "#fees/index.ts";

export interface CardKey {
  readonly merchantId: number;
  readonly cardNo: string;
}

/** Two sides pay fees: the cardholder by the package's schedule (credit mode alone), the reserve by the BIN's. */
export interface SideCounters {
  readonly cardholder: FeeCounters;
  readonly reserve: FeeCounters;
}

/** A card whose row is locked until the transaction ends: nobody decides, clears or changes it meanwhile. */
export interface LockedCard extends CardKey {
  readonly cardholderNo: string;
  readonly mode: MerchantMode;
  readonly status: CardStatus;
  /** Unix ms: where its periods are counted from. */
  readonly openedAt: number;
  readonly utcOffsetMinutes: number;
  /** Credit mode: the cardholder's account. */
  readonly creditAccountId: string | null;
  readonly cardBinNo: string;
  readonly binTermsVersion: number;
  readonly packageNo: string | null;
  readonly packageTermsVersion: number | null;
  readonly counters: SideCounters;
}

/** [used, period], as the row keeps them. */
type StoredCounter = readonly [number, number];
interface StoredCounters {
  readonly own?: { readonly decline?: StoredCounter; readonly cancel?: StoredCounter };
  readonly cost?: { readonly decline?: StoredCounter; readonly cancel?: StoredCounter };
}

const counterOf = (stored: StoredCounter | undefined): FreeCounter =>
  stored === undefined ? unusedCounter : { used: stored[0], period: stored[1] };
const storedOf = ({ used, period }: FreeCounter): StoredCounter => [used, period];

interface Row {
  cardholder_no: string;
  mode: MerchantMode;
  status: CardStatus;
  created_at: bigint;
  utc_offset_minutes: number;
  credit_account_id: string | null;
  card_bin_no: string;
  bin_terms_version: number;
  package_no: string | null;
  package_terms_version: number | null;
  small_used: number;
  small_period: number;
  small_cost_used: number;
  small_cost_period: number;
  fee_counters: StoredCounters;
}

/** Locks a card before anything else is: cards before accounts is the order that every writer keeps. Null when there is none. */
export async function lockCard(sql: Sql, key: CardKey): Promise<LockedCard | null> {
  const { rows } = await sql.query<Row>({
    name: "clearing_lock_card",
    text: `SELECT k.cardholder_no, m.mode, k.status, k.created_at, k.utc_offset_minutes, k.credit_account_id, k.card_bin_no, k.bin_terms_version,
             k.package_no, k.package_terms_version, k.small_used, k.small_period, k.small_cost_used, k.small_cost_period, k.fee_counters
           FROM card k JOIN merchant m USING (merchant_id)
           WHERE k.merchant_id = $1 AND k.card_no = $2
           FOR NO KEY UPDATE OF k`,
    values: [key.merchantId, key.cardNo],
  });
  const row = rows[0];
  if (row === undefined) {
    return null;
  }
  const { own, cost } = row.fee_counters;
  return {
    merchantId: key.merchantId,
    cardNo: key.cardNo,
    cardholderNo: row.cardholder_no,
    mode: row.mode,
    status: row.status,
    openedAt: Number(row.created_at),
    utcOffsetMinutes: row.utc_offset_minutes,
    creditAccountId: row.credit_account_id,
    cardBinNo: row.card_bin_no,
    binTermsVersion: row.bin_terms_version,
    packageNo: row.package_no,
    packageTermsVersion: row.package_terms_version,
    counters: {
      cardholder: {
        small: { used: row.small_used, period: row.small_period },
        decline: counterOf(own?.decline),
        cancel: counterOf(own?.cancel),
      },
      reserve: {
        small: { used: row.small_cost_used, period: row.small_cost_period },
        decline: counterOf(cost?.decline),
        cancel: counterOf(cost?.cancel),
      },
    },
  };
}

/** Writes the free counts that a fee has used up; the card must be locked. */
export async function saveCounters(sql: Sql, card: CardKey, counters: SideCounters): Promise<void> {
  const { cardholder: own, reserve: cost } = counters;
  const stored: StoredCounters = {
    own: { decline: storedOf(own.decline), cancel: storedOf(own.cancel) },
    cost: { decline: storedOf(cost.decline), cancel: storedOf(cost.cancel) },
  };
  await sql.query(
    `UPDATE card SET small_used = $3, small_period = $4, small_cost_used = $5, small_cost_period = $6, fee_counters = $7
     WHERE merchant_id = $1 AND card_no = $2`,
    [
      card.merchantId,
      card.cardNo,
      own.small.used,
      own.small.period,
      cost.small.used,
      cost.small.period,
      JSON.stringify(stored),
    ],
  );
}

/**
 * Moves what counts against the product's limits by an amount (minor units; negative gives back), if the periods that it was counted
 * in are still the card's present ones. What is spent in a period that the card has not seen yet begins it. The card must be locked.
 */
export async function moveLimits(
  sql: Sql,
  card: CardKey,
  change: {
    readonly amount: bigint;
    readonly atm: boolean;
    /** `limitPeriods` of the moment it was counted at. */
    readonly periods: { readonly week: number; readonly day: number; readonly month: number };
  },
): Promise<void> {
  const { amount, atm, periods } = change;
  await sql.query(
    // Parameters have their types told: Postgres cannot guess those of a sum and of a CASE alike.
    `UPDATE card SET
       week_start = CASE WHEN $3::bigint > 0 THEN greatest(week_start, $4::integer) ELSE week_start END,
       week_spent = CASE WHEN week_start = $4::integer THEN greatest(0, week_spent + $3::bigint)
                         WHEN week_start < $4::integer AND $3::bigint > 0 THEN $3::bigint ELSE week_spent END,
       atm_day = CASE WHEN $5::boolean AND $3::bigint > 0 THEN greatest(atm_day, $6::integer) ELSE atm_day END,
       atm_day_spent = CASE WHEN $5::boolean AND atm_day = $6::integer THEN greatest(0, atm_day_spent + $3::bigint)
                            WHEN $5::boolean AND atm_day < $6::integer AND $3::bigint > 0 THEN $3::bigint ELSE atm_day_spent END,
       atm_month = CASE WHEN $5::boolean AND $3::bigint > 0 THEN greatest(atm_month, $7::integer) ELSE atm_month END,
       atm_month_spent = CASE WHEN $5::boolean AND atm_month = $7::integer THEN greatest(0, atm_month_spent + $3::bigint)
                              WHEN $5::boolean AND atm_month < $7::integer AND $3::bigint > 0 THEN $3::bigint ELSE atm_month_spent END
     WHERE merchant_id = $1 AND card_no = $2`,
    [card.merchantId, card.cardNo, amount, periods.week, atm, periods.day, periods.month],
  );
}
