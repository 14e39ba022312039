import { DECLINES, isDeclineReason } from "@cardwright/contract";
import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import { type Result, unreachable } from "#kernel/index.ts";
import { asMerchant, type Call, type Fault, faults, inputFault, type MerchantOf, send } from "./sandbox-call.ts";
import type {
  NetworkReceipt,
  PurchaseRefusal,
  Terminal,
  TerminalClearing,
  TerminalPurchase,
  TerminalReceipt,
} from "./terminal.ts";

interface NetworkRouteDeps {
  readonly merchantOf: MerchantOf;
  readonly terminal: Terminal;
}

const decimalText = z
  .string('must be a decimal text, such as "12.50"')
  .regex(/^[0-9]{1,13}(?:\.[0-9]{1,4})?$/u, 'must be a decimal text, such as "12.50"');
const rateText = z.string().regex(/^[0-9]{1,10}(?:\.[0-9]{1,12})?$/u, 'must be a decimal text, such as "1.0845"');
const reference = z.string().max(64);

const ofCard = { card_no: z.string().min(1).max(32), network_reference: reference.optional() };
const money = {
  amount: decimalText,
  currency: z.string().max(8).default("USD"),
  /** What the network converted the amount to, in US dollars. */
  billing_amount: decimalText.optional(),
  exchange_rate: rateText.optional(),
};
const shop = {
  merchant: z
    .strictObject({
      name: z.string().max(128).default("Sandbox Shop"),
      mcc: z.string().max(4).default("5999"),
      city: z.string().max(64).default("Singapore"),
      country: z.string().max(2).default("SG"),
    })
    .prefault({}),
};

const purchaseInput = z.strictObject({
  ...ofCard,
  ...money,
  ...shop,
  kind: z.enum(["purchase", "atm", "balance_inquiry", "refund"]).default("purchase"),
  wallet: z.boolean().default(false),
  recurring: z.boolean().default(false),
  partial_allowed: z.boolean().default(false),
  wrong_cvv: z.boolean().default(false),
  wrong_expiry: z.boolean().default(false),
});
const incrementInput = purchaseInput.extend({ original_reference: reference.min(1) });
const clearingInput = z.strictObject({
  ...ofCard,
  ...money,
  ...shop,
  kind: z.enum(["purchase", "atm"]).default("purchase"),
  /** Absent: the shop never asked. */
  original_reference: reference.optional(),
  final: z.boolean().default(true),
});
const refundInput = z.strictObject({ ...ofCard, ...money, ...shop, original_reference: reference.optional() });
const reversalInput = z.strictObject({
  ...ofCard,
  original_reference: reference.min(1),
  /** Absent: everything that is left. */
  amount: decimalText.optional(),
  billing_amount: decimalText.optional(),
});

/** What a card network sends, played by the developer of the merchant whose card it is about. */
export function networkRoutes(
  app: FastifyInstance,
  deps: NetworkRouteDeps,
  options: { readonly bodyLimit: number },
): void {
  const { terminal } = deps;
  const route = <Input, Receipt>(
    path: string,
    input: z.ZodType<Input>,
    play: (merchantId: number, input: Input) => Promise<Result<Receipt, PurchaseRefusal>>,
    answer: (receipt: Receipt) => object,
  ): void => {
    app.post(
      path,
      options,
      asMerchant(deps, (call) => playMessage(call, { input, play, answer })),
    );
  };
  const advise = (merchantId: number, input: z.infer<typeof purchaseInput>) =>
    terminal.advise(purchaseOf(merchantId, input));
  route(
    "/purchases",
    purchaseInput,
    (merchantId, input) => terminal.purchase(purchaseOf(merchantId, input)),
    receiptAnswer,
  );
  route(
    "/increments",
    incrementInput,
    (merchantId, input) =>
      terminal.purchase({ ...purchaseOf(merchantId, input), incrementOf: input.original_reference }),
    receiptAnswer,
  );
  route("/advices", purchaseInput, advise, factAnswer);
  route("/clearings", clearingInput, (merchantId, input) => terminal.clear(clearingOf(merchantId, input)), factAnswer);
  route(
    "/refunds",
    refundInput,
    (merchantId, input) => terminal.clear(clearingOf(merchantId, { ...input, kind: "refund", final: true })),
    factAnswer,
  );
  route(
    "/reversals",
    reversalInput,
    (merchantId, input) =>
      terminal.reverse({
        ...cardOf(merchantId, input),
        originalReference: input.original_reference,
        ...(input.amount !== undefined && { amount: input.amount }),
        ...(input.billing_amount !== undefined && { billingAmount: input.billing_amount }),
      }),
    factAnswer,
  );
}

async function playMessage<Input, Receipt>(
  { merchantId, request, reply }: Call<NetworkRouteDeps>,
  message: {
    readonly input: z.ZodType<Input>;
    readonly play: (merchantId: number, input: Input) => Promise<Result<Receipt, PurchaseRefusal>>;
    readonly answer: (receipt: Receipt) => object;
  },
): Promise<FastifyReply> {
  const input = message.input.safeParse(request.body);
  if (!input.success) {
    return send(reply, inputFault(input.error));
  }
  const receipt = await message.play(merchantId, input.data);
  return receipt.ok ? reply.send(message.answer(receipt.value)) : send(reply, messageFault(receipt.reason));
}

function cardOf(
  merchantId: number,
  input: { readonly card_no: string; readonly network_reference?: string | undefined },
) {
  return {
    merchantId,
    cardNo: input.card_no,
    ...(input.network_reference !== undefined && { networkReference: input.network_reference }),
  };
}

type Money = Pick<z.infer<typeof purchaseInput>, "amount" | "currency" | "billing_amount" | "exchange_rate">;

function moneyOf({ amount, currency, billing_amount, exchange_rate }: Money) {
  return {
    amount,
    currency,
    ...(billing_amount !== undefined && { billingAmount: billing_amount }),
    ...(exchange_rate !== undefined && { exchangeRate: exchange_rate }),
  };
}

function purchaseOf(merchantId: number, input: z.infer<typeof purchaseInput>): TerminalPurchase {
  return {
    ...cardOf(merchantId, input),
    ...moneyOf(input),
    kind: input.kind,
    wallet: input.wallet,
    recurring: input.recurring,
    partialAllowed: input.partial_allowed,
    shop: input.merchant,
    wrongCvv: input.wrong_cvv,
    wrongExpiry: input.wrong_expiry,
  };
}

function clearingOf(
  merchantId: number,
  input: Omit<z.infer<typeof clearingInput>, "kind"> & { readonly kind: TerminalClearing["kind"] },
): TerminalClearing {
  return {
    ...cardOf(merchantId, input),
    ...moneyOf(input),
    kind: input.kind,
    shop: input.merchant,
    final: input.final,
    ...(input.original_reference !== undefined && { originalReference: input.original_reference }),
  };
}

function receiptAnswer(receipt: TerminalReceipt): object {
  return {
    network_reference: receipt.networkReference,
    approved: receipt.approved,
    response_code: receipt.responseCode,
    approved_amount: receipt.approvedAmount,
    reason: receipt.reason,
    detail: isDeclineReason(receipt.reason) ? DECLINES[receipt.reason].en : "",
    consume_no: receipt.consumeNo,
    balance: receipt.balance,
    repeat: receipt.repeat,
    platform_ms: receipt.platformMs,
    terminal_ms: receipt.terminalMs,
  };
}

function factAnswer(receipt: NetworkReceipt): object {
  return {
    network_reference: receipt.networkReference,
    accepted: receipt.accepted,
    effect: receipt.effect,
    consume_no: receipt.consumeNo,
    repeat: receipt.repeat,
    platform_ms: receipt.platformMs,
    terminal_ms: receipt.terminalMs,
  };
}

function messageFault(refusal: PurchaseRefusal): Fault {
  switch (refusal.kind) {
    case "card_unknown":
    case "too_many_messages":
    case "network_unavailable":
      return faults[refusal.kind];
    case "not_accepted":
      return { status: 400, code: "invalid_field", field: refusal.field, message: refusal.message };
    default:
      return unreachable(refusal);
  }
}
