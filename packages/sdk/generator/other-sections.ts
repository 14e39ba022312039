/** What of api.md does not come from the 19 endpoints: the sandbox's calls, callbacks, what needs no call. */

interface OtherMethod {
  readonly call: string;
  readonly does: string;
  readonly takes?: readonly string[];
  readonly gives: string;
  readonly refused?: string;
  readonly example: string;
}

function section(title: string, introduction: string, methods: readonly OtherMethod[]): string {
  return [`## ${title}`, introduction, ...methods.map(methodText)].join("\n\n");
}

function methodText({ call, does, takes, gives, refused, example }: OtherMethod): string {
  return [
    `### ${call}`,
    does,
    takes === undefined ? "" : `Takes:\n\n${takes.map((line) => `- ${line}`).join("\n")}`,
    `Gives ${gives}.`,
    refused === undefined ? "" : `Refused with: ${refused}.`,
    `\`\`\`ts\n${example}\n\`\`\``,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

const message =
  "`card_no`, `amount` (decimal text), `currency` (USD when absent), `billing_amount`, `exchange_rate`, `merchant` `{name, mcc, city, country}`, `network_reference`";
const receipt =
  "`SandboxReceipt`: `approved`, `response_code`, `approved_amount`, `reason`, `detail`, `consume_no`, `balance`, `repeat`, `network_reference`, times";
const effect = "`SandboxEffect`: `accepted`, `effect`, `consume_no`, `repeat`, `network_reference`, times";

const sandbox: readonly OtherMethod[] = [
  {
    call: "client.sandbox.clock",
    does: "The sandbox's time.",
    gives: "`SandboxClock`: `now` (Unix milliseconds), `time` (ISO 8601), `ahead_ms`",
    example: "const { time } = await client.sandbox.clock();",
  },
  {
    call: "client.sandbox.advanceClock",
    does: "Moves the time of the whole sandbox on and does what becomes due. Waits for 120 s unless told.",
    takes: ["an ISO 8601 duration as a text: `P7D`, `PT1H30M`"],
    gives: "`SandboxClockMove`: the clock, `steps`, `ran`, `finished`",
    example: 'await client.sandbox.advanceClock("P7D");',
  },
  {
    call: "client.sandbox.listScenarios",
    does: "The scripted scenarios of the merchant's mode.",
    gives: "`{ list }` of `name`, `title`, `shows`, `modes`, `steps`, `startable`",
    example: "const { list: scenarios } = await client.sandbox.listScenarios();",
  },
  {
    call: "client.sandbox.startScenario",
    does: "Plays a scenario on the own merchant.",
    takes: ["its name as a text"],
    gives: "`ScenarioRun`",
    refused: "`scenario_unknown`, `scenario_of_other_mode`, `scenario_needs_fresh_merchant`, `scenario_under_way`",
    example: 'const { run_id } = await client.sandbox.startScenario("purchase-approved");',
  },
  {
    call: "client.sandbox.retrieveScenarioRun",
    does: "How far a run is.",
    takes: ["the `run_id` as a text"],
    gives:
      "`ScenarioRun`: `run_id`, `name`, `state` (`running`, `passed`, `failed`), `step`, `steps`, `differences`, `started_at`, `ended_at`",
    example: "const { state, differences } = await client.sandbox.retrieveScenarioRun(run_id);",
  },
  {
    call: "client.sandbox.purchase",
    does: "Buys something, as a shop's terminal does.",
    takes: [message, "`kind`, `wallet`, `recurring`, `partial_allowed`, `wrong_cvv`, `wrong_expiry`, optional"],
    gives: receipt,
    example:
      'const { approved, reason } = await client.sandbox.purchase({ card_no: "C202605220001", amount: "12.50" });',
  },
  {
    call: "client.sandbox.increment",
    does: "The shop asks for more on top of an authorization.",
    takes: [message, "`original_reference`", "the rest as for a purchase"],
    gives: receipt,
    example:
      'await client.sandbox.increment({ card_no: "C202605220001", amount: "5.00", original_reference: reference });',
  },
  {
    call: "client.sandbox.advise",
    does: "The network tells that it approved a purchase in the platform's stead.",
    takes: [message, "the rest as for a purchase"],
    gives: effect,
    example: 'await client.sandbox.advise({ card_no: "C202605220001", amount: "12.50" });',
  },
  {
    call: "client.sandbox.clear",
    does: "The shop collects: exactly, less, more, in parts, late, or without ever having asked.",
    takes: [message, "`original_reference`, `final`, `kind`, optional"],
    gives: effect,
    example:
      'await client.sandbox.clear({ card_no: "C202605220001", amount: "12.50", original_reference: reference });',
  },
  {
    call: "client.sandbox.refund",
    does: "The shop gives money back.",
    takes: [message, "`original_reference`, optional"],
    gives: effect,
    example: 'await client.sandbox.refund({ card_no: "C202605220001", amount: "12.50" });',
  },
  {
    call: "client.sandbox.reverse",
    does: "The purchase is taken back, in part or as a whole.",
    takes: ["`card_no`, `original_reference`", "`amount`, `billing_amount`, `network_reference`, optional"],
    gives: effect,
    example: 'await client.sandbox.reverse({ card_no: "C202605220001", original_reference: reference });',
  },
  {
    call: "client.sandbox.makeCard",
    does: "The card maker has made a physical card. `shipCard`: it has shipped it. `failCard`: it could not make it.",
    takes: ["the `card_no` as a text"],
    gives: "`{ card_no, state }`",
    refused: "`card_unknown`, `card_not_physical`, `state_change_not_allowed`",
    example:
      'await client.sandbox.makeCard("C202605220001");\nawait client.sandbox.shipCard("C202605220001");\nawait client.sandbox.failCard("C202605220002");',
  },
  {
    call: "client.sandbox.listen",
    does: "Receives the merchant's callbacks without an address of its own and answers each with what `handle` gives, until `signal` says otherwise.",
    takes: [
      "`handle` function of `{ request_id, headers, body }`, which gives `{ status, content_type, body }`",
      "`signal` AbortSignal",
      "`onListening`, `onError`, `onLost`, `onReopened`, optional",
    ],
    gives: "nothing, when it has ended",
    example: `await client.sandbox.listen({
  signal: stop.signal,
  handle: async (request) => ({ ...(await handler.handle(request)), content_type: "application/json" }),
});`,
  },
];

const callbacks: readonly OtherMethod[] = [
  {
    call: "client.callbacks.verify",
    does: "The callback of a request, if it comes from the platform. `createCallbacks({ appId, apiSecret, webhookSecrets })` has the same without a client.",
    takes: [
      "a `Request` of the Fetch API, a request of `node:http` whose body is not read yet, or `{ headers, body }` with the raw body",
    ],
    gives:
      "`Callback`: `action`, `id`, `data`, `dataText`, `timestampMs`, `verifiedBy`, `sequence`, `attempt`, `deadlineMs`, `isTest`, `lateAnswer`; throws `SignatureError`, whose `reason` is for the log",
    example: `const callback = await client.callbacks.verify(request);
if (callback.action === "Consumption") console.log(callback.data.consume_no, callback.data.status);`,
  },
  {
    call: "client.callbacks.handler",
    does: "A whole callback endpoint: verifies, answers in time, drops repeats, keeps the order of each card.",
    takes: [
      "`onAuth`, `onConsumption`, `onCardUpdate`, `onOther`, `onLateAuth`, `onRepeat`, `onError` functions, optional",
      "`authTimeoutMs` number, optional. From 1 to 10,000. Default 700.",
      "`authFallback` what is answered instead of an `onAuth` that is late, fails or is not there, optional. A decline.",
      "`pushTimeoutMs` number, optional. From 1 to 60,000. Default 4,500.",
      "`gapWaitMs` number, optional. From 0 to 60,000. Default 100. How long a push waits for an earlier one that is not here.",
      "`repeats` a store with `get` and `set`, optional. In memory.",
    ],
    gives: "`CallbackHandler`: `node`, `express`, `fastify`, `hono`, `fetch`, and `handle` for any other server",
    example: `const handler = client.callbacks.handler({
  onAuth: async ({ data }) => ((await canPay(data)) ? approve() : decline("insufficient_funds")),
  onConsumption: async ({ data }) => book(data),
});
createServer(handler.node).listen(3000);`,
  },
  {
    call: "client.callbacks.sign",
    does: "A callback as the platform sends it, for your own tests.",
    takes: [
      "`action` and `data`, or `dataText` to say it to the character",
      "`id`, `timestampMs`, `sequence`, `attempt`, `deadlineMs`, `isTest`, optional",
    ],
    gives: "`{ method, headers, body }`, which `fetch` takes",
    example:
      'const request = await client.callbacks.sign({ action: "Auth", data });\nawait fetch("http://localhost:3000/callback", request);',
  },
];

const withoutCalls = `## Without a call

- \`approve()\`, \`approve({ approvedAmount: "12.50" })\`: yes, to all or to a part. \`decline(reason, { code, message })\`: no.
  \`leaveToPlatform()\`: no answer, so that the merchant's time-out policy applies; it counts as a failure of the endpoint.
- \`toMinorUnits(amount, currency)\`, \`fromMinorUnits(minor, currency)\`, \`decimalsOf(currency)\`: exact amounts as \`bigint\`.
- \`encryptForCard(text, apiSecret)\`, \`decryptForCard(cipherText, apiSecret)\`, \`decryptPrivateInfo(cipherText, apiSecret)\`: the contract's AES.
- \`memoryRepeatStore({ entriesMax })\`: what \`handler\` uses unless told.
- Errors: \`CardwrightError\`, of which \`ApiError\` (\`AuthenticationError\`, \`PermissionError\`, \`InvalidRequestError\`, \`NotFoundError\`,
  \`ConflictError\`, \`InsufficientFundsError\`, \`RateLimitError\`, \`ServerError\`), \`ConnectionError\` (\`TimeoutError\`) and \`SignatureError\` are kinds.`;

export const otherSections: readonly string[] = [
  section(
    "client.callbacks",
    "The platform's calls to the merchant. Needs `appId` and `apiSecret`, or `webhookSecrets`.",
    callbacks,
  ),
  section(
    "client.sandbox",
    "Shops, the card maker and time, played by the merchant's developer. Needs the Api-Key alone; not in production.",
    sandbox,
  ),
  withoutCalls,
];
