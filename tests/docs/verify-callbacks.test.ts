import { readdirSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { extname, join } from "node:path";
import { createCallbacks } from "@cardwright/sdk";
import { temporaryFolder } from "@cardwright/testing/temporary-folder";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { credentials, type Delivery } from "../callback-signatures/delivery.ts";
import { mutatedDeliveries } from "../callback-signatures/mutated.ts";
import { isStandardVerified, isV1Verified } from "../callback-signatures/verifiers.ts";
import { clone, document, fencedBlocks } from "./documents.ts";
import { callbacksAsSent } from "./verify-callbacks/callbacks-as-sent.ts";
import { type SampleRequest, type SampleVector, vectors } from "./verify-callbacks/requests.ts";
import { fastjsonSamples, missingFor, type Sample, samples, verdicts } from "./verify-callbacks/samples.ts";

/** docs/guides/verify-callbacks.md: its samples are files, and each of them is run here where the machine has its language. */

const all = vectors();
/** The first build of Go's standard library takes a minute on a slow machine; everything else seconds. */
const buildMsMax = 180_000;
let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder("samples");
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const commands = new Map<string, Promise<readonly [string, ...string[]]>>();

/** Once for all tests of a sample. */
function built(sample: Sample): Promise<readonly [string, ...string[]]> {
  const known = commands.get(sample.name);
  if (known !== undefined) return known;
  const own = join(folder, sample.name.replaceAll(/[^A-Za-z0-9]/gu, ""));
  const command = mkdir(own).then(() => sample.build(own));
  commands.set(sample.name, command);
  return command;
}

const languages: Readonly<Record<string, string>> = {
  ".go": "go",
  ".java": "java",
  ".php": "php",
  ".py": "python",
  ".ts": "ts",
};

test("the guide shows every sample as it is in its file", () => {
  const files = readdirSync(join(clone, "docs/guides/verify-callbacks"));
  const inFiles = files.map((name) => ({
    language: languages[extname(name)],
    text: readFileSync(join(clone, "docs/guides/verify-callbacks", name), "utf8"),
  }));
  const shown = fencedBlocks(document("docs/guides/verify-callbacks.md"));
  const byText = (a: { text: string }, b: { text: string }) => (a.text < b.text ? -1 : 1);
  expect(shown.map(({ language, text }) => ({ language, text })).toSorted(byText)).toEqual(inFiles.toSorted(byText));
});

test("the vectors are many, good ones and ones to refuse, in both schemes", () => {
  const count = (scheme: string, isGood: boolean) =>
    all.filter(({ request, verdict }) => request.scheme === scheme && (verdict === "ok") === isGood).length;
  expect(count("V1", true)).toBeGreaterThanOrEqual(60);
  expect(count("V1", false)).toBeGreaterThanOrEqual(70);
  expect(count("Standard", true)).toBeGreaterThanOrEqual(15);
  expect(count("Standard", false)).toBeGreaterThanOrEqual(25);
});

test("the sample in TypeScript believes what was signed and nothing else, with the SDK of this clone", async () => {
  const keys = { appId: "app_demo", apiSecret: "secret_demo", webhookSecrets: [credentials.webhookSecret] };
  vi.stubEnv("APP_ID", keys.appId);
  vi.stubEnv("API_SECRET", keys.apiSecret);
  vi.stubEnv("WEBHOOK_SECRETS", credentials.webhookSecret);
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const { verified } = await import("../../docs/guides/verify-callbacks/verify-callbacks.ts");
  const { headers, body } = await createCallbacks(keys).sign({
    action: "Card_update",
    data: { card_no: "C1", before_status: "Activated", after_status: "Frozen", reason: "", time: 1_716_307_200_000 },
  });
  const requestWith = (text: string) =>
    new Request("http://merchant.example/", { method: "POST", headers, body: text });
  expect(await verified(requestWith(body))).toMatchObject({
    action: "Card_update",
    verifiedBy: ["v1", "standard_webhooks"],
  });
  expect(await verified(requestWith(body.replace("Frozen", "Delete")))).toBeNull();
});

describe.each(samples)("the sample in $name", (sample) => {
  beforeEach(async ({ skip }) => {
    const missing = await missingFor(sample);
    skip(missing.length > 0, `this machine has ${missing.join(" and ")}`);
  });

  test(
    "accepts every good vector and refuses every other for its reason",
    async () => {
      const requests = all.map(({ request }) => request);
      const answered = await verdicts(await built(sample), requests);
      expect(verdictsByName(answered)).toEqual(verdictsByName(all.map(({ verdict }) => verdict)));
    },
    buildMsMax,
  );

  test("believes of a thousand changed callbacks those that our own verifier believes", async () => {
    const seed = Math.trunc(Math.random() * 2 ** 31);
    const changed = [...mutatedDeliveries({ seed, count: 1_000 })].map(({ given }) => given);
    const requests = changed.flatMap((delivery) => [v1RequestOf(delivery), standardRequestOf(delivery)]);
    const ours = changed.flatMap((delivery) => [isV1Verified(delivery), isStandardVerified(delivery)]);
    const answered = await verdicts(await built(sample), requests);
    const differing = requests.filter((_, at) => (answered[at] === "ok") !== ours[at]);
    expect({ seed, differing: differing.slice(0, 5).map(told) }).toEqual({ seed, differing: [] });
  });
});

function v1RequestOf({ headers, body, nowMs }: Delivery): SampleRequest {
  const { "sign-version": version, timestamp, signature } = headers;
  return { scheme: "V1", version, timestamp, signature, body, ...credentials, nowMs };
}

function standardRequestOf({ headers, body, nowMs }: Delivery): SampleRequest {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures } = headers;
  return { scheme: "Standard", id, timestamp, signatures, body, secrets: [credentials.webhookSecret], nowMs };
}

function told(request: SampleRequest): string {
  return JSON.stringify({ ...request, body: Buffer.from(request.body).toString("latin1") });
}

function verdictsByName(each: readonly string[]): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(all.map(({ name }, at) => [name, each[at]]));
}

/** What is signed otherwise but reads the same after it was parsed and written again; the last was sorted as Java sorts. */
const saysTheSame: ReadonlySet<string> = new Set(
  [
    "a blank in a nested value",
    "a nested text with an escape that it need not have",
    "nested keys in another order",
    "signed with keys in the order of UTF-16 units",
  ].map((name) => `V1, refused: ${name}`),
);

const refusedByFastjson: readonly SampleVector[] = all.filter(
  ({ name, request, verdict }) =>
    // What is no JSON at all fastjson may read leniently.
    request.scheme === "V1" && verdict !== "ok" && verdict !== "body_invalid" && !saysTheSame.has(name),
);

describe.each(fastjsonSamples)("the sample in $name", (sample) => {
  test(
    "verifies every callback that the server can write, and refuses what was changed",
    async ({ skip }) => {
      const missing = await missingFor(sample);
      skip(missing.length > 0, `this machine has ${missing.join(" and ")}`);
      const { seed, requests } = callbacksAsSent({ count: 300 });
      const answered = await verdicts(await built(sample), [
        ...requests,
        ...refusedByFastjson.map(({ request }) => request),
      ]);
      const refused = requests.flatMap(({ body }, at) => (answered[at] === "ok" ? [] : [Buffer.from(body).toString()]));
      expect({ seed, refused }).toEqual({ seed, refused: [] });
      expect(answered.slice(requests.length)).toEqual(refusedByFastjson.map(({ verdict }) => verdict));
    },
    buildMsMax,
  );
});
