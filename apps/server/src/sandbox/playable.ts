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
        exchange_rate: "what one unit of currency is in US dollars, where the network says it",
        kind: "purchase (when absent), atm, balance_inquiry or refund (the shop asks whether it may give money back)",
        wallet: "true: paid by a phone's wallet",
        merchant: '{"name", "mcc", "city", "country"}, each optional',
        network_reference: "the same one again is the same message again; a new one when absent",
        recurring: "true: one of a series that the cardholder agreed to once",
        partial_allowed: "true: the shop can take a part",
        wrong_cvv: "true: the shop has the wrong CVV",
        wrong_expiry: "true: the shop has the wrong expiry",
      },
    },
    {
      call: "POST /sandbox/v1/increments",
      does: "the shop asks for more on top of an authorization: a longer stay, a fuller tank",
      body: { original_reference: "network_reference of the purchase (required)", other: "as for a purchase" },
    },
    {
      call: "POST /sandbox/v1/advices",
      does: "the network tells that it approved a purchase in our stead; it cannot be declined",
      body: { other: "as for a purchase" },
    },
    {
      call: "POST /sandbox/v1/clearings",
      does: "the shop collects: exactly, less, more, in parts, late, or without ever having asked",
      body: {
        card_no: "C… (required)",
        original_reference: "network_reference of the purchase; absent: a forced one",
        amount: '"12.50" (required), in currency',
        final: "false: more parts will follow",
        kind: "purchase (when absent) or atm",
        other: "currency, billing_amount, exchange_rate, merchant, network_reference as for a purchase",
      },
    },
    {
      call: "POST /sandbox/v1/refunds",
      does: "the shop gives money back",
      body: {
        card_no: "C… (required)",
        original_reference: "network_reference of the purchase, where the shop knows it",
        amount: '"12.50" (required), in currency',
        other: "currency, billing_amount, exchange_rate, merchant, network_reference as for a purchase",
      },
    },
    {
      call: "POST /sandbox/v1/reversals",
      does: "the purchase is taken back, in part or as a whole, before or after its clearing",
      body: {
        card_no: "C… (required)",
        original_reference: "network_reference of the purchase (required)",
        amount: "how much is taken back, in the purchase's currency; everything that is left when absent",
        billing_amount: "the same in US dollars, when the currency is another",
        network_reference: "the same one again is the same message again; a new one when absent",
      },
    },
    { call: "GET /sandbox/v1/scenarios", does: "lists the scripted scenarios of your mode, step by step" },
    {
      call: "POST /sandbox/v1/scenarios/{name}",
      does: "plays one on your own merchant, with a cardholder, a card and a product made for it; watch your callbacks. Some move the clock",
    },
    { call: "GET /sandbox/v1/scenarios/runs/{run_id}", does: "tells how far it is, and what was not as written" },
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
      call: "POST /sandbox/v1/listen",
      does: "sends your merchant's callbacks to your own machine, which needs no public address, until you end it or go away for 30 s",
    },
    {
      call: "GET /sandbox/v1/listen/{listen_id}/requests",
      does: "streams the callbacks as they come, one JSON text a line: request_id, headers, body; an empty line every 5 s",
    },
    {
      call: "POST /sandbox/v1/listen/{listen_id}/answers/{request_id}",
      does: "answers a callback with exactly this, within 5 s, an Auth within 800 ms",
      body: { status: "200 to 599 (required)", content_type: "application/json when absent", body: "the text" },
    },
    { call: "POST /sandbox/v1/listen/{listen_id}/end", does: "puts the callback URL back that was there before" },
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
