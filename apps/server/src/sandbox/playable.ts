import { durationDaysMax } from "./duration.ts";

/** What `GET /sandbox/v1/` tells a developer who looks around. */
export const playable = {
  about:
    "Play shops, the card maker and time itself. Send your merchant's Api-Key header; no Access-Token, no Timestamp.",
  calls: [
    {
      call: "POST /sandbox/v1/purchases",
      does: "buys something with a card, as a shop's terminal does",
      body: {
        card_no: "C… (required)",
        amount: '"12.50" (required), in currency',
        currency: "USD when absent",
        billing_amount: "US dollars, when currency is another: what the network converted the amount to",
        kind: "purchase (when absent) or atm",
        wallet: "true: paid by a phone's wallet",
        merchant: '{"name", "mcc", "city", "country"}, each optional',
        network_reference: "the same one again is the same message again; a new one when absent",
        wrong_cvv: "true: the shop has the wrong CVV",
        wrong_expiry: "true: the shop has the wrong expiry",
      },
    },
    { call: "POST /sandbox/v1/cards/{card_no}/make", does: "the card maker has made a physical card" },
    { call: "POST /sandbox/v1/cards/{card_no}/ship", does: "the card maker has shipped it" },
    { call: "POST /sandbox/v1/cards/{card_no}/fail", does: "the card maker could not make it" },
    { call: "GET /sandbox/v1/clock", does: "tells the sandbox's time" },
    {
      call: "POST /sandbox/v1/clock",
      does: "moves the time of the whole sandbox forward; what becomes due on the way is done in its order: holds expire, management fees are taken, callbacks are tried again",
      body: { advance: `"P7D", "PT1H30M", "P13M": an ISO 8601 duration of at most ${durationDaysMax} days` },
    },
    {
      call: "GET /sandbox/v1/settlement/{yyyy-mm-dd}",
      does: "the network's settlement file of a day that is over; for the operator, with Authorization: Bearer and the network's token",
    },
  ],
  addresses: {
    manual: 'a physical card whose address_line1 contains "manual" waits until you make, ship or fail it',
    fail: 'one whose address_line1 contains "fail" cannot be made',
    other: "any other is made as soon as it is ordered",
  },
} as const;
