import { type CurrencyCode, formatRate, isCurrency, parseRate, type Rate } from "@cardwright/money";
import { type AuditDetail, appendAudit, type Initiator } from "#audit/index.ts";
import { inTransaction, type Sql } from "#database/index.ts";
import { ok, type Result, refused, uuid7 } from "#kernel/index.ts";
import type { ExchangeDeps } from "./deps.ts";
import type { ExchangeRate, InvalidRates, NewRates } from "./exchange-rate.ts";
import { exchange as bounds } from "./limits.ts";
import { insertRates, selectCurrencies, selectRatesAt } from "./store.ts";

/** What everything is converted into, and what is at par with it (contract section 9, Money): neither has a rate. */
const atPar: ReadonlySet<CurrencyCode> = new Set<CurrencyCode>(["USD", "TUSDT"]);

export function isAtPar(currency: CurrencyCode): boolean {
  return atPar.has(currency);
}

/** One line that says something. */
const sourceShape = /^(?=.*\S)[^\p{Cc}\u2028\u2029]+$/u;

/** Writes rates down, all or none; answers what is valid from that moment on. What is there already is not written again. */
export async function putRates(
  deps: ExchangeDeps,
  input: NewRates,
  by: Initiator,
): Promise<Result<ExchangeRate[], InvalidRates>> {
  const now = deps.clock.now();
  const validFrom = input.validFrom ?? now;
  const wrong = checkFrame(input, { validFrom, now });
  if (wrong !== null) return refused(wrong);
  const rates = new Map<CurrencyCode, Rate>();
  for (const [index, { currency, rate }] of input.rates.entries()) {
    const parsed = parseEntry({ currency, rate });
    if (!parsed.ok) return refused({ ...parsed.reason, field: `rates.${index}.${parsed.reason.field}` });
    if (rates.has(parsed.value.currency)) {
      return refused({ field: `rates.${index}.currency`, message: "is in the call already" });
    }
    rates.set(parsed.value.currency, parsed.value.rate);
  }
  const rows = Array.from(rates, ([currency, rate]) => ({
    currency,
    rate,
    source: input.source,
    validFrom,
    createdAt: now,
    rateId: uuid7(now),
  }));
  return inTransaction(deps.pool, async (tx) => {
    await write(tx, { rows, by, at: now });
    return ok(await selectRatesAt(tx, { currencies: [...rates.keys()], at: validFrom }));
  });
}

/** Of a seed: every process that starts at once writes the same key, and one of them wins. */
const seedId = "00000000-0000-0000-0000-000000000000";

/** Puts rates in when there are none at all, valid from the beginning of the UTC day. True when this call did. */
export async function seedRates(deps: ExchangeDeps, input: NewRates, by: Initiator): Promise<boolean> {
  const now = deps.clock.now();
  const validFrom = now - (now % 86_400_000);
  const rows = input.rates.map((entry) => {
    const parsed = parseEntry(entry);
    if (!parsed.ok) throw new Error(`exchange: the seed of ${entry.currency} ${parsed.reason.message}`);
    return { ...parsed.value, source: input.source, validFrom, createdAt: now, rateId: seedId };
  });
  return inTransaction(deps.pool, async (tx) => {
    if ((await selectCurrencies(tx)).length > 0) return false;
    return write(tx, { rows, by, at: now });
  });
}

async function write(
  tx: Sql,
  writing: {
    readonly rows: readonly (ExchangeRate & { readonly rateId: string })[];
    readonly by: Initiator;
    readonly at: number;
  },
): Promise<boolean> {
  const { rows, by, at } = writing;
  const [first] = rows;
  if (first === undefined) return false;
  const { source, validFrom } = first;
  const before = await selectRatesAt(tx, { currencies: rows.map(({ currency }) => currency), at: validFrom });
  const written = new Set(await insertRates(tx, rows));
  if (written.size === 0) return false;
  const textOf = new Map(before.map(({ currency, rate }) => [currency, formatRate(rate)]));
  const rates: AuditDetail = Object.fromEntries(
    rows
      .filter(({ currency }) => written.has(currency))
      .map(({ currency, rate }) => [currency, { before: textOf.get(currency) ?? null, after: formatRate(rate) }]),
  );
  await appendAudit(tx, {
    ...by,
    merchantId: 0,
    action: "exchange_rate.put",
    subject: [...written].toSorted().join(","),
    detail: { source, valid_from: validFrom, rates },
    at,
  });
  return true;
}

function checkFrame(
  { source, rates }: NewRates,
  time: { readonly validFrom: number; readonly now: number },
): InvalidRates | null {
  if (source.length > bounds.sourceCharactersMax || !sourceShape.test(source)) {
    return { field: "source", message: `must be one line of 1 to ${bounds.sourceCharactersMax} characters` };
  }
  if (!Number.isSafeInteger(time.validFrom) || time.validFrom > time.now + bounds.validAheadMsMax) {
    return { field: "validFrom", message: "must not be more than 31 days ahead" };
  }
  if (time.validFrom < time.now - bounds.validBackMsMax) {
    return { field: "validFrom", message: "must not be more than 31 days ago" };
  }
  if (rates.length === 0 || rates.length > bounds.ratesPerCallMax) {
    return { field: "rates", message: `must have 1 to ${bounds.ratesPerCallMax} entries` };
  }
  return null;
}

function parseEntry(entry: {
  readonly currency: string;
  readonly rate: string;
}): Result<{ readonly currency: CurrencyCode; readonly rate: Rate }, InvalidRates> {
  const { currency } = entry;
  if (!isCurrency(currency)) return refused({ field: "currency", message: "is no currency of ISO 4217" });
  if (isAtPar(currency)) return refused({ field: "currency", message: "is at par with USD and has no rate" });
  const rate = parseRate(entry.rate);
  const isSane =
    rate.ok && rate.value.units > 0n && rate.value.units <= bounds.rateMax * 10n ** BigInt(rate.value.scale);
  if (!isSane) {
    return refused({
      field: "rate",
      message: "must be a decimal text above 0 and at most 100, with at most 12 decimals",
    });
  }
  return ok({ currency, rate: rate.value });
}
