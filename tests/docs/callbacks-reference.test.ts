import { readdir, readFile } from "node:fs/promises";
import { startApi, type TestApi } from "@cardwright/testing/api";
import { createAuthority } from "@cardwright/testing/certificates";
import { type OperatorDesk, openOperatorDesk } from "@cardwright/testing/operator-desk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { callbackLimits } from "../../apps/server/src/callbacks/limits.ts";
import { signedPush } from "../../apps/server/src/callbacks/push.ts";
import { nextTryAt } from "../../apps/server/src/callbacks/schedule.ts";
import { splitCallbackBody } from "../../packages/signing/src/index.ts";
import { document } from "./documents.ts";

/** docs/reference/callbacks.md: its example, its tables and its steps. */

const page = document("docs/reference/callbacks.md");
const section = (heading: string): string => page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";

let api: TestApi;
let desk: OperatorDesk;
beforeAll(async () => {
  api = await startApi();
  desk = await openOperatorDesk(api);
});
afterAll(async () => {
  await desk.close();
  await api.close();
});

test("the example is what the platform sends for the secrets that stand below it, byte by byte", () => {
  const [example = ""] = [...page.matchAll(/^```http\n(?<text>[\s\S]*?)\n```$/gmu)].map(
    ({ groups = {} }) => groups["text"],
  );
  const [head = "", body = ""] = example.split("\n\n");
  const shown = head.split("\n").slice(1);
  const apiSecret = /API secret `(?<secret>[A-Za-z0-9]{32})`/u.exec(page)?.groups?.["secret"] ?? "";
  const webhookSecrets = [...page.matchAll(/`(whsec_[A-Za-z0-9+/=]{44})`/gu)].map(([, secret = ""]) => secret);
  const split = splitCallbackBody(body);
  if (!split.ok) throw new Error(split.reason);
  const { id, dataText } = split.value;
  const timestampMs = Number(/^Timestamp: (?<ms>\d+)$/mu.exec(head)?.groups?.["ms"]);
  const sent = signedPush(
    { id, action: "Card_update", dataText },
    {
      target: { url: "https://merchant.example/callback", appId: "app_demo", apiSecret, webhookSecrets },
      timestampMs,
      extraHeaders: ["Sequence", "4", "Attempt", "1"],
    },
  );
  const headers = sent.headers.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${sent.headers[at + 1]}`] : []));
  expect(webhookSecrets).toHaveLength(2);
  expect(shown).toEqual(headers);
  expect(body).toBe(sent.body);
});

test("the table of headers has every header that this room sends, and no other", async () => {
  const told = [...section("Headers").matchAll(/^\| `([\w-]+)` +\|/gmu)].map(([, name = ""]) => name);
  const room = new URL("../../apps/server/src/callbacks/", import.meta.url);
  const files = (await readdir(room)).filter((name) => /^[a-z-]+\.ts$/u.test(name));
  const sources = await Promise.all(files.map((name) => readFile(new URL(name, room), "utf8")));
  // A header is a text with a capital, or one of Standard Webhooks, in a list of names and values in turn.
  const names = sources.flatMap((text) => [...text.matchAll(/"(webhook-[a-z]+|[A-Z][a-z]+(?:-[A-Z][a-z]+)+)"/gu)]);
  const sent = new Set([
    ...names.map(([, name = ""]) => name),
    "Timestamp",
    "Signature",
    "Timezone",
    "Sequence",
    "Attempt",
  ]);
  expect(told.toSorted()).toEqual([...sent].toSorted());
});

test("the waits between tries are those of the schedule", () => {
  const text = section("When there is no good answer").replaceAll("\n", " ");
  const units = { s: 1_000, min: 60_000, h: 3_600_000 } as const;
  const list = /tried again after (?<list>.+?), then every (?<last>\d+) h/u.exec(text)?.groups ?? {};
  const waits = [...(list["list"] ?? "").matchAll(/(\d+) (s|min|h)\b/gu)].map(
    ([, count, unit = ""]) => Number(count) * units[unit as keyof typeof units],
  );
  const last = Number(list["last"]) * units.h;
  const planned = [...waits, last, last].map((_, at) =>
    nextTryAt({ failures: at + 1, firstFailedAtMs: 0, nowMs: 0, random: 0.5 }),
  );
  expect(waits.length).toBeGreaterThan(5);
  expect(planned).toEqual([...waits, last, last]);
  expect(text).toContain(`${callbackLimits.retriesEndAfterMs / 86_400_000} days after its first failure`);
  expect(text).toContain(`at most ${callbackLimits.orderPatienceMs / 60_000} minutes`);
});

interface Step {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>> | undefined;
  readonly status: number;
}

const steps: Step[] = page.split("\n").flatMap((line) => {
  const parts =
    /^ *(?<method>GET|POST|PUT|DELETE) \/operator\/v1(?<path>\S+)(?: (?<body>\{.*\}))? → (?<status>\d{3})$/u;
  const { method, path = "", body, status } = parts.exec(line)?.groups ?? {};
  if (method !== "GET" && method !== "POST" && method !== "PUT" && method !== "DELETE") return [];
  return [{ method, path, body: body === undefined ? undefined : JSON.parse(body), status: Number(status) }];
});

test("each call of the steps is answered as the page says, one after the other, and shows its secret", async () => {
  const { merchant, credentialId } = await api.newMerchant("AUTHORIZATION");
  const authority = await createAuthority();
  const { certificatePem, privateKeyPem } = await authority.issue();
  const known = new Map([
    ["merchant_no", merchant.merchantNo],
    ["first_credential_id", credentialId],
  ]);
  const shown: string[] = [];
  for (const { method, path, body, status } of steps) {
    const full = path.replaceAll(/\{([a-z_]+)\}/gu, (_, name: string) => known.get(name) ?? "missing");
    const isCertificate = body !== undefined && "certificate_pem" in body;
    const sent = isCertificate ? { certificate_pem: certificatePem, private_key_pem: privateKeyPem } : body;
    const answer = await desk.call(method, full, sent);
    expect([method, path, answer.status]).toEqual([method, path, status]);
    const { credential_id, secret, api_secret } = answer.body;
    if (typeof credential_id === "string") known.set("credential_id", credential_id);
    shown.push(...[secret, api_secret].filter((each) => typeof each === "string"));
  }
  expect(steps).toHaveLength(7);
  expect(shown).toHaveLength(2);
});
