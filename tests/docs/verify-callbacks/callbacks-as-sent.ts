import { CONSUMPTION_TYPES, FEE_TYPES, TRANSACTION_STATUSES } from "@cardwright/contract";
import { signV1 } from "@cardwright/signing";
import * as fc from "fast-check";
import { authData, type Consumption, cleanText, consumptionData } from "../../../apps/server/src/consumptions/index.ts";
import { anyCharacter } from "../../../packages/signing/test/any-character.ts";
import type { V1Request } from "./requests.ts";

/** Callbacks as the server itself writes them, about any purchase: what the fastjson way of verifying must get right. */

/** 15 digits: what a JSON number keeps in every reader, and more than a card's account holds. */
const minorMax = 10n ** 15n - 1n;
const nowMs = 1_716_307_200_000;

const code = fc.stringMatching(/^[A-Z0-9]{0,14}$/u);
const minor = fc.oneof(fc.bigInt({ min: 0n, max: 100_000n }), fc.bigInt({ min: 0n, max: minorMax }));
/** As it comes from the network: any character there is. */
const fromOutside = fc.string({ unit: anyCharacter, maxLength: 30 }).map((text) => cleanText(text, 40));
const localAmount = fc
  .tuple(fc.bigInt({ min: 0n, max: 99_999_999_999n }), fc.integer({ min: 0, max: 4 }), fc.nat({ max: 9_999 }))
  .map(([whole, places, fraction]) =>
    places === 0 ? String(whole) : `${whole}.${String(fraction).padStart(places, "0").slice(0, places)}`,
  );

const consumption: fc.Arbitrary<Consumption> = fc.record({
  consumeNo: code,
  consumeRelateNo: code,
  cardNo: code,
  cardholderNo: code,
  type: fc.constantFrom(...CONSUMPTION_TYPES),
  status: fc.constantFrom(...TRANSACTION_STATUSES),
  amount: minor,
  fee: minor,
  feeRows: fc.array(fc.record({ feeType: fc.constantFrom(...FEE_TYPES), amount: minor }), { maxLength: 4 }),
  localAmount,
  localCurrency: fc.constantFrom("USD", "JPY", "KWD"),
  remark: fc.constantFrom("", "merchant_declined"),
  detail: fromOutside,
  acceptor: fc.record({
    name: fromOutside,
    mcc: fc.constantFrom("", "5411"),
    city: fromOutside,
    country: fc.constantFrom("", "DE"),
  }),
  createdAt: fc.constant(nowMs),
});

const credentials = { appId: "app_demo", apiSecret: "secret_demo", timestamp: String(nowMs) };

function requestOf(action: string, dataText: string): V1Request {
  const body = Buffer.from(`{"id":"push_1","action":"${action}","data":${dataText}}`);
  const signature = signV1({ ...credentials, dataText });
  return { scheme: "V1", version: "V1", ...credentials, signature, body, nowMs };
}

export interface Sent {
  readonly seed: number;
  readonly requests: readonly V1Request[];
}

/** `count` consumptions, each as its Auth question and as its Consumption callback. */
export function callbacksAsSent({ count }: { readonly count: number }): Sent {
  const seed = Math.trunc(Math.random() * 2 ** 31);
  const requests = fc
    .sample(consumption, { numRuns: count, seed })
    .flatMap((each) => [
      requestOf("Auth", authData(each)),
      requestOf("Consumption", consumptionData(each, { time: nowMs })),
    ]);
  return { seed, requests };
}
