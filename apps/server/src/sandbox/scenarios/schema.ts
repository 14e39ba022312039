import { CARD_STATUSES, CONSUMPTION_TYPES, FEE_TYPES, TRANSACTION_STATUSES } from "@cardwright/contract";
import { z } from "zod";
import { parseDuration } from "../duration.ts";
import { builtInNames, namesIn } from "./placeholders.ts";

/**
 * What a scenario's file may say. Every scalar of the file is a text (YAML's failsafe schema), so an amount keeps its digits and
 * Norway stays a country; this schema gives each its meaning. Unknown keys are refused.
 */

export const scenarioModes = ["credit", "authorization"] as const;
export type ScenarioMode = (typeof scenarioModes)[number];
/** Who can act by name, beside the operator `admin`: two, so that one approves what the other has asked for. */
export const scenarioOperators = ["mia", "jon"] as const;
export type ScenarioOperator = (typeof scenarioOperators)[number];

const alias = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/u, "must be a short name of a-z, 0-9 and -");
const flag = z.enum(["true", "false"]).transform((text) => text === "true");
const count = z
  .string()
  .regex(/^[0-9]{1,6}$/u, "must be a whole number")
  .transform(Number);
const amount = z.string().regex(/^[0-9]{1,11}\.[0-9]{2}$/u, 'must be an amount with two decimals, such as "12.50"');
const signedAmount = z
  .string()
  .regex(/^-?[0-9]{1,11}\.[0-9]{2}$/u, 'must be an amount with two decimals, such as "-2.50"');
/** In any currency, so with 0 to 4 decimals. */
const localAmount = z.string().regex(/^[0-9]{1,13}(?:\.[0-9]{1,4})?$/u, "must be a decimal amount");
const rate = z.string().regex(/^[0-9]{1,10}(?:\.[0-9]{1,12})?$/u, "must be a decimal rate");
const duration = z
  .string()
  .refine((text) => parseDuration(text, { from: 0 }).ok, 'must be an ISO 8601 duration such as "P7D"');
const line = z.string().min(1).max(200);

/** The same for both modes, or one value for each. */
function byMode<Output>(value: z.ZodType<Output>): z.ZodType<Readonly<Record<ScenarioMode, Output>>> {
  const forEach = z.strictObject({ credit: value, authorization: value });
  return z.unknown().transform((given, context): Readonly<Record<ScenarioMode, Output>> => {
    const isForEach = typeof given === "object" && given !== null && "credit" in given && "authorization" in given;
    const parsed = isForEach ? forEach.safeParse(given) : forEach.safeParse({ credit: given, authorization: given });
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      context.addIssue({ code: "custom", message: issue.message, path: isForEach ? issue.path : issue.path.slice(1) });
      if (!isForEach) break;
    }
    return z.NEVER;
  });
}

const feeAmounts = z.partialRecord(z.enum(FEE_TYPES), amount);

const shop = z.strictObject({
  name: line.optional(),
  mcc: z
    .string()
    .regex(/^[0-9]{4}$/u)
    .optional(),
  city: line.optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/u)
    .optional(),
});
const money = {
  amount: localAmount,
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/u)
    .optional(),
  billing_amount: amount.optional(),
  exchange_rate: rate.optional(),
};
/** `as` names the message and what it makes; `card` is the card opened last when absent. */
const message = { as: alias, card: alias.optional(), merchant: shop.optional() };

const authorization = z.strictObject({
  ...message,
  ...money,
  kind: z.enum(["purchase", "atm", "balance_inquiry", "refund"]).optional(),
  wallet: flag.optional(),
  recurring: flag.optional(),
  partial_allowed: flag.optional(),
  wrong_cvv: flag.optional(),
  wrong_expiry: flag.optional(),
});

const by = z.enum(scenarioOperators).optional();
/** Names for parts of the answer, such as `order_no` or `list.0.item_id`: later calls have them in braces. */
const keep = z.record(alias, z.string().regex(/^[a-z0-9_]+(?:\.[a-z0-9_]+)*$/u)).optional();

/** What the network's file says otherwise than it was sent. */
const rowChange = z
  .strictObject({
    message: alias,
    settled: signedAmount.optional(),
    /** The row names another message, such as one that was never sent. */
    names: alias.optional(),
    left_out: flag.optional(),
  })
  .superRefine(({ settled, names, left_out }, context) => {
    if ([settled, names, left_out].filter((each) => each !== undefined).length !== 1) {
      context.addIssue({ code: "custom", message: "must have exactly one of settled, names and left_out" });
    }
  });

const actions = {
  purchase: authorization.optional(),
  increment: authorization.extend({ of: alias }).optional(),
  advise: authorization.optional(),
  clear: z
    .strictObject({
      ...message,
      ...money,
      of: alias.optional(),
      final: flag.optional(),
      kind: z.enum(["purchase", "atm"]).optional(),
    })
    .optional(),
  refund: z.strictObject({ ...message, ...money, of: alias.optional() }).optional(),
  reverse: z
    .strictObject({
      as: alias,
      card: alias.optional(),
      of: alias,
      amount: localAmount.optional(),
      billing_amount: amount.optional(),
    })
    .optional(),
  /** Sends an earlier message again, byte for byte unless something is given. */
  repeat: z
    .strictObject({ message: alias, amount: localAmount.optional(), currency: z.string().optional() })
    .optional(),
  open_card: z.strictObject({ as: alias }).optional(),
  /** The merchant changes the card's status. */
  card_status: z.enum(["Frozen", "Activated", "Delete"]).optional(),
  /** `as` again is the same `transfer_unique_no`. */
  transfer: z.strictObject({ as: alias, type: z.enum(["In", "Out"]), amount }).optional(),
  recharge: z.strictObject({ amount }).optional(),
  /**
   * Moves the sandbox's clock; `times` steps of the same length. `restarted`: the platform ends while the clock is being moved.
   * `to: midnight`: the beginning of the next day of UTC, so that a day belongs to the scenario from its first moment.
   */
  advance: z
    .strictObject({
      by: duration.optional(),
      to: z.literal("midnight").optional(),
      times: count.optional(),
      restarted: flag.optional(),
    })
    .superRefine(({ by: length, to, times, restarted }, context) => {
      if ((length === undefined) === (to === undefined)) {
        context.addIssue({ code: "custom", message: "must have exactly one of by and to" });
      }
      if (to !== undefined && (times !== undefined || restarted !== undefined)) {
        context.addIssue({ code: "custom", message: "times and restarted go with by" });
      }
    })
    .optional(),
  /** How the merchant's server behaves from now on. */
  server: z
    .strictObject({
      answers: z.enum(["yes", "no", "part", "late", "silent", "nonsense", "down"]).optional(),
      reason: line.optional(),
      approved_amount: amount.optional(),
      pushes: z.enum(["accepted", "refused"]).optional(),
    })
    .optional(),
  /** An operator's call, `by` the operator `admin` when absent. Names in braces are filled in, see placeholders.ts. */
  operate: z
    .strictObject({
      by,
      method: z.enum(["GET", "POST", "PATCH", "PUT"]),
      path: line,
      body: z.record(z.string(), z.unknown()).optional(),
      keep,
    })
    .optional(),
  /** The operator fetches the network's settlement file of the day before and imports it, with changes where there are any. */
  settle_day: z.strictObject({ by, changes: z.array(rowChange).max(20).optional(), keep }).optional(),
  /** The platform's process ends and begins again. */
  restart: flag.optional(),
} as const;
export type ActionName = keyof typeof actions;
export const actionNames = Object.keys(actions) as ActionName[];

/** Fields of the answer that are looked at; an answer without expectation must be a yes. */
const answers = z.strictObject({
  approved: flag.optional(),
  response_code: z.string().optional(),
  reason: z.string().optional(),
  approved_amount: z.string().optional(),
  balance: amount.optional(),
  repeat: flag.optional(),
  accepted: flag.optional(),
  effect: z.string().optional(),
  /** The answer's `consume_no` is the number of this consumption. */
  consume: alias.optional(),
  /** Of the Open API, or the HTTP status of an operator's call. */
  code: count.optional(),
  status: count.optional(),
  /** Of an operator's call: fields that are not written are not looked at, lists are complete. */
  body: z.record(z.string(), z.unknown()).optional(),
});

const only = z.enum(scenarioModes).optional();
/** `92.50 EUR`, as the shop sees it. */
const local = z
  .string()
  .regex(/^[0-9.]+ [A-Z]{3}$/u, 'must be an amount and a currency, such as "92.50 EUR"')
  .optional();

const callback = z
  .strictObject({
    only,
    auth: alias.optional(),
    consumption: alias.optional(),
    card: alias.optional(),
    type: z.enum(CONSUMPTION_TYPES).optional(),
    status: z.enum(TRANSACTION_STATUSES).optional(),
    amount: byMode(amount).optional(),
    fees: byMode(feeAmounts).optional(),
    remark: z.string().optional(),
    relates: alias.optional(),
    local,
    before: z.enum(CARD_STATUSES).optional(),
    after: z.enum(CARD_STATUSES).optional(),
  })
  .superRefine((given, context) => {
    const { auth, consumption, card, status, amount: of, before, after } = given;
    if ([auth, consumption, card].filter((each) => each !== undefined).length !== 1) {
      context.addIssue({ code: "custom", message: "must have exactly one of auth, consumption and card" });
    }
    if (consumption !== undefined && (status === undefined || of === undefined)) {
      context.addIssue({ code: "custom", message: "a consumption's callback needs status and amount" });
    }
    if (auth !== undefined && of === undefined) {
      context.addIssue({ code: "custom", message: "an auth callback needs its amount" });
    }
    if (card !== undefined && (before === undefined || after === undefined)) {
      context.addIssue({ code: "custom", message: "a card's callback needs before and after" });
    }
  });

const balances = z.strictObject({
  /** Credit mode alone: looked at there, passed over elsewhere. */
  credit: z.strictObject({ available: signedAmount, frozen: amount }).optional(),
  bonus: amount.optional(),
  reserve: byMode(z.strictObject({ available: signedAmount, held: amount })).optional(),
});

const step = z
  .strictObject({
    ...actions,
    note: z.string().optional(),
    only,
    answers: byMode(answers).optional(),
    callbacks: z.array(callback).max(200).optional(),
    /** `any`: between different consumptions the order is not promised; of each it is. */
    order: z.enum(["strict", "any"]).default("strict"),
    balances: balances.optional(),
  })
  .superRefine((given, context) => {
    const named = actionNames.filter((name) => given[name] !== undefined);
    if (named.length !== 1) {
      const found = named.length === 0 ? "none" : named.join(" and ");
      context.addIssue({ code: "custom", message: `must have exactly one action, has ${found}` });
    }
    if (given.answers !== undefined && given.operate === undefined && given.settle_day === undefined) {
      if (scenarioModes.some((mode) => given.answers?.[mode].body !== undefined)) {
        context.addIssue({ code: "custom", message: "body is of an operator's call alone", path: ["answers"] });
      }
    }
  });

const statementRow = z.strictObject({
  only,
  of: alias,
  type: z.enum(CONSUMPTION_TYPES).default("Consumption"),
  status: z.enum(TRANSACTION_STATUSES),
  amount: byMode(amount),
  fee: byMode(amount).optional(),
  remark: z.string().default(""),
  relates: alias.optional(),
  local,
});

const limits = z.strictObject({
  limit_balance: amount.optional(),
  limit_week_balance: amount.optional(),
  limit_atm_day_balance: amount.optional(),
  limit_atm_month_balance: amount.optional(),
});
const rates = z.record(z.string(), z.string());

const wholeScenario = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{2,63}$/u, "must be words of a-z and 0-9 joined by -"),
  title: line,
  shows: z.string().min(1).max(2_000),
  modes: z.array(z.enum(scenarioModes)).min(1).max(2),
  /** Only on a merchant made for it: its settings change, or its reserve must be exactly what the scenario says. */
  fresh_merchant: flag.default(false),
  product: z
    .strictObject({
      valid_months: count.optional(),
      limits: limits.optional(),
      /** The BIN's schedule: what the reserve pays. All of it when given; 1 % of purchases otherwise. */
      costs: rates.optional(),
      /** The package's: what the cardholder pays in credit mode; 5 % of purchases otherwise. */
      fees: rates.optional(),
    })
    .prefault({}),
  /** Settings of the merchant, as `PATCH /operator/v1/merchants/{merchant_no}` takes them. */
  merchant: z.record(z.string(), z.unknown()).optional(),
  start: z
    .strictObject({
      reserve: amount.default("10000.00"),
      credit: amount.default("1000.00"),
      /** False: the first card is opened by a step. */
      card: flag.default(true),
    })
    .prefault({}),
  steps: z.array(step).min(1).max(100),
  /** The card's consumptions at the end, oldest first. */
  statement: z.array(statementRow).max(200),
});

export const scenarioSchema = wholeScenario.superRefine(({ start, steps }, context) => {
  const known = new Set<string>([...builtInNames, ...(start.card ? ["card"] : [])]);
  steps.forEach((given, place) => {
    for (const name of namesIn(given.operate)) {
      if (known.has(name)) continue;
      const message = `{${name}} is not known at this step`;
      context.addIssue({ code: "custom", message, path: ["steps", place, "operate"] });
    }
    for (const name of namesMadeBy(given)) known.add(name);
    for (const name of namesIn(given.answers)) {
      if (known.has(name)) continue;
      const message = `{${name}} is not known at this step`;
      context.addIssue({ code: "custom", message, path: ["steps", place, "answers"] });
    }
  });
});

function namesMadeBy({ purchase, increment, advise, open_card, ...given }: Step): readonly string[] {
  return [
    ...[purchase, increment, advise, open_card].flatMap((each) => each?.as ?? []),
    ...(given.callbacks ?? []).flatMap(({ auth, consumption, card }) => auth ?? consumption ?? card ?? []),
    ...Object.keys({ ...given.operate?.keep, ...given.settle_day?.keep }),
  ];
}

export type Scenario = z.infer<typeof wholeScenario>;
export type Step = Scenario["steps"][number];
export type ExpectedCallback = NonNullable<Step["callbacks"]>[number];
export type ExpectedAnswer = z.infer<typeof answers>;
export type ExpectedBalances = NonNullable<Step["balances"]>;
export type StatementRow = Scenario["statement"][number];

/** The action of a step; the schema holds that there is exactly one. */
export function actionOf(given: Step): ActionName {
  const name = actionNames.find((each) => given[each] !== undefined);
  if (name === undefined) throw new Error("a step without an action passed the schema");
  return name;
}

/** What a scenario does that a merchant with a life of its own must not be drawn into, in the order in which it is told. */
export const freshMerchantNeeds = [
  "changes_settings",
  "acts_as_operator",
  "restarts_platform",
  "directs_server",
  "exact_reserve",
] as const;
export type FreshMerchantNeed = (typeof freshMerchantNeeds)[number];

/** Why a scenario is played on a merchant made for it alone; empty when any merchant may play it on itself. */
export function freshMerchantNeedsOf(scenario: Scenario): readonly FreshMerchantNeed[] {
  const { steps } = scenario;
  const needs: Readonly<Record<FreshMerchantNeed, boolean>> = {
    changes_settings: scenario.merchant !== undefined,
    acts_as_operator: steps.some(({ operate, settle_day }) => operate !== undefined || settle_day !== undefined),
    restarts_platform: steps.some(({ restart, advance }) => restart !== undefined || advance?.restarted === true),
    directs_server: steps.some(({ server }) => server !== undefined),
    exact_reserve: scenario.fresh_merchant,
  };
  return freshMerchantNeeds.filter((need) => needs[need]);
}

export const movesClock = (scenario: Scenario): boolean =>
  scenario.steps.some(({ advance, restart }) => advance !== undefined || restart !== undefined);
