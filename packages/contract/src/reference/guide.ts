/** The parts of the reference page that are about the whole API. */
import {
  CALLBACK_ACTIONS,
  CARD_STATUSES,
  CARD_TYPES,
  CARDHOLDER_STATUSES,
  CONSUMPTION_TYPES,
  EXEMPTION_TYPES,
  FEE_TYPES,
  MANAGE_FEE_TYPES,
  MANAGEMENT_FEE_FREE_TYPES,
  MERCHANT_MODES,
  PACKAGE_TYPES,
  TRANSACTION_STATUSES,
  TRANSFER_TYPES,
} from "../constants.ts";
import { remarkList } from "../declines.ts";
import type { OpenApiDocument } from "../openapi.ts";
import { type Html, html, prose, sample, table } from "./html.ts";

export interface GuideSection {
  readonly id: string;
  readonly title: string;
  readonly content: Html;
}

const ENVELOPE = `{"code": 0, "msg": "Success", "data": {"card_no": "C202605220001", …}}

{"code": 1003, "msg": "IP address not allowed"}`;

const SIGNATURE_SAMPLE = `import { createHmac, timingSafeEqual } from "node:crypto";

function verify({ data, headers, appId, apiSecret }) {
  const pairs = { appId, timestamp: headers["timestamp"] };
  for (const [key, value] of Object.entries(data)) {
    if (value !== null) pairs[key] = typeof value === "string" ? value : JSON.stringify(value);
  }
  const byCodePoint = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const text = Object.keys(pairs).sort(byCodePoint).map((key) => key + "=" + pairs[key]).join("&");
  const expected = createHmac("sha256", apiSecret).update(text, "utf8").digest();
  const given = Buffer.from(headers["signature"] ?? "", "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}`;

const SIGNATURE_VECTOR = `appId      app_demo
secret     secret_demo
Timestamp  1716307200000
data       {"card_no":"C202605220001","before_status":"Activated","after_status":"Frozen","reason":"","time":1716307200000}

Signature  63a793f88327f5c8e0adbef583bbb99fa593d7e12706e7a5bc0af6110859b1cb`;

/** Sections before the endpoints. */
export function openingSections(openapi: OpenApiDocument): readonly GuideSection[] {
  return [
    {
      id: "start",
      title: "Getting started",
      content: html`<h1>${openapi.info.title}</h1><p class="lead">${prose(openapi.info.description)}</p>
<div class="columns"><div>
<h3>A first call</h3>
<p>Ask for a token with your Api-Key, from an address on your allow-list. Send the token in every other request. Requests are not signed.</p>
<h3>Two modes</h3>
${table({
  head: ["Mode", "How a purchase is confirmed"],
  rows: [
    [prose("`CREDIT_EXTENSION`"), "Against credit that you transferred to the cardholder, and your reserve."],
    [
      prose("`AUTHORIZATION`"),
      prose("You are asked in real time by the `Auth` callback and answer within 800 ms; your reserve pays."),
    ],
  ],
})}
<p>A merchant has one mode. Endpoints of the other mode answer 1012.</p>
<h3>Values</h3>
<p>${prose('Amounts are decimal texts (`"100.00"`); in callbacks they are JSON numbers. Times are Unix milliseconds. Texts that do not exist are `""`, never null, and lists are `[]`. Unknown fields are ignored; a duplicate key, a text that is not UTF-8 or a body above 65,536 bytes is refused.')}</p>
</div><div class="samples">${sample({ title: "Every answer is one of these two", code: ENVELOPE })}</div></div>`,
    },
    { id: "headers", title: "Headers", content: headersContent(openapi) },
    { id: "lists", title: "Lists and time ranges", content: listsContent },
  ];
}

function headersContent(openapi: OpenApiDocument): Html {
  const { securitySchemes, parameters } = openapi.components;
  const row = (name: string, when: string, description: string): readonly Html[] => [
    prose(`\`${name}\``),
    prose(when),
    prose(description),
  ];
  return html`<h2>Headers</h2>${table({
    head: ["Header", "Required", "Rule"],
    rows: [
      ...Object.values(securitySchemes).map(({ name, description }) =>
        row(name, name === "Api-Key" ? "always" : "all but Get Token", description),
      ),
      ...Object.entries(parameters)
        .filter(([key]) => key !== "OptionalTimestamp")
        .map(([, { name, required, description }]) => row(name, required ? "all but Get Token" : "no", description)),
    ],
  })}
<p>An answer of an endpoint is always HTTP 200, whatever its code. 404, 405, 413 and 415 mean that no endpoint was reached; 503 comes with ${prose("`Retry-After`")} while the service starts or stops, and so does code 1009.</p>`;
}

const listsContent = html`<h2>Lists and time ranges</h2>
<p>${prose("`page` counts from 0, `size` is 1 to 100 and 10 by default; rows are newest first, and there is no total. `start_time` and `end_time` are `yyyy-MM-dd` or `yyyy-MM-dd HH:mm:ss` in the zone of the `Timezone` header (`UTC+8` by default).")}</p>
<p>${prose("A bare end date includes that whole day, so the same date twice is one day. A date-time end includes that second. At most 90 days: bare dates counted inclusively (1020); the end must be after the start (1019).")}</p>`;

/** What stands before the endpoints of the developer API. */
export function developerSection(developer: OpenApiDocument): GuideSection {
  return {
    id: "developer",
    title: "About it",
    content: html`<h2>${developer.info.title}</h2><p class="lead">${prose(developer.info.description)}</p>
<p>As documents for programs: <a href="/open-api/openapi.json">openapi.json</a> of the Open API, <a href="/developer/openapi.json">openapi.json</a> of the developer API.</p>`,
  };
}

/** Sections after the endpoints. */
export function closingSections(errors: OpenApiDocument["x-error-codes"]): readonly GuideSection[] {
  return [
    { id: "signature", title: "Callback signature", content: signatureContent },
    { id: "encryption", title: "Encryption", content: encryptionContent },
    { id: "delivery", title: "Delivery", content: deliveryContent },
    { id: "constants", title: "Constants", content: constantsContent },
    { id: "remarks", title: "Decline reasons", content: remarksContent },
    { id: "errors", title: "Error codes", content: errorsContent(errors) },
  ];
}

const signatureContent = html`<h2>Callback signature</h2><div class="columns"><div>
<ol>
<li>${prose("Take every top-level key of `data` whose value is not null: a text as it is, anything else as its compact JSON text. Add `appId` (your App ID) and `timestamp` (the `Timestamp` header).")}</li>
<li>${prose("Sort by key in code-point order and join as `key=value` with `&`, without URL encoding. Empty texts stay.")}</li>
<li>${prose("`Signature` is the lower-case hex HMAC-SHA256 of that UTF-8 text with your `apiSecret` (UTF-8) as key.")}</li>
</ol>
<p>${prose("`id` and `action` are not covered. Languages whose JSON writer changes texts (Go escapes `& < >` and sorts keys, Python escapes non-ASCII, PHP escapes `/`) should sign the raw text of each top-level value as it arrived.")}</p>
${sample({ title: "Test vector", code: SIGNATURE_VECTOR })}
</div><div class="samples">${sample({ title: "Node", code: SIGNATURE_SAMPLE })}</div></div>`;

const encryptionContent = html`<h2>Encryption</h2>
<p>${prose("`cvv`, `pin` and the private info are AES/ECB/PKCS5Padding in standard Base64. The key is the UTF-8 text of your `apiSecret`: 32 characters, so AES-256. With several credentials, use the secret of the one whose Api-Key makes the call.")}</p>
<p>${prose("The private info is a JSON text with the strings `card_no, card_unique_no, cvv, pan, exp_year` (four digits) and `exp_month` (two digits).")}</p>`;

const deliveryContent = html`<h2>Delivery of callbacks</h2>
<p>${prose('Answer HTTP 2xx with `{"code": 0, "message": ""}`. `code` must be the JSON number 0. The asynchronous pushes arrive at least once: a repeated push has the same `id` and `data`, a fresh `Timestamp` and `Signature`, so use `id` to recognise it.')}</p>
<p>A try may take 5 seconds. After a failure we wait 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, 4 h, 8 h, then every 12 h for up to 30 days. Pushes about one card arrive in order.</p>`;

const constantGroups: readonly (readonly [string, readonly string[]])[] = [
  ["Merchant mode", MERCHANT_MODES],
  ["Transfer and consumption status", TRANSACTION_STATUSES],
  ["Card status", CARD_STATUSES],
  ["Card type", CARD_TYPES],
  ["Package type", PACKAGE_TYPES],
  ["Cardholder status", CARDHOLDER_STATUSES],
  ["Transfer type", TRANSFER_TYPES],
  ["Consumption type", CONSUMPTION_TYPES],
  ["Fee type", FEE_TYPES],
  ["Callback action", CALLBACK_ACTIONS],
  ["Exemption type", EXEMPTION_TYPES],
  ["Management fee period", MANAGE_FEE_TYPES],
  ["Management fee waiver", MANAGEMENT_FEE_FREE_TYPES],
];

const constantsContent = html`<h2>Constants</h2>${table({
  head: ["Enumeration", "Values"],
  rows: constantGroups.map(([name, values]) => [name, values.map((value) => html`<code>${value}</code> `)]),
})}`;

const remarksContent = html`<h2>Decline reasons</h2>
<p>${prose("A declined consumption carries the code in `remark` and the sentence in `detail`. The last three are not declines: they say what became of a hold, or that we answered for you.")}</p>
${table({
  head: ["Remark", "Detail", "ISO 8583", "When"],
  rows: remarkList.map(({ remark, en, responseCode, explanation }) => [
    html`<code>${remark}</code>`,
    en,
    responseCode ?? "–",
    prose(explanation),
  ]),
})}`;

function errorsContent(errors: OpenApiDocument["x-error-codes"]): Html {
  return html`<h2>Error codes</h2>
<p>${prose("A message about one field starts with the field's name, nested fields as a dotted path: `address_info.city only supports English input`. Of several wrong fields the first in the order of the table is named.")}</p>
${table({
  head: ["Code", "Message", "中文", "What happened, and what to do"],
  rows: errors.map(({ code, en, zh, explanation, remedy }) => [
    html`<span id="error-${code}">${code}</span>`,
    en,
    zh,
    html`${prose(explanation)}<br>${prose(remedy)}`,
  ]),
})}`;
}
