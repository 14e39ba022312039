import { beforeAll, expect, test } from "vitest";
import { credentials, type Delivery, genuineDeliveries, type HeaderName } from "./delivery.ts";
import { type Likeness, likenessV1, type Meaning, meaningOf } from "./meaning.ts";
import { type Mutated, mutatedDeliveries, mutationNames } from "./mutated.ts";
import { isStandardVerified, isV1Verified, sdkVerifier, type Verify } from "./verifiers.ts";

/**
 * A hundred thousand callbacks that somebody has changed on their way, given to every verifier. V1 may accept one only where it has
 * an equivalence: blanks, order, escapes and null at the top level of `data`; a text in place of the value that is written so; a text with
 * & and = in place of several members; anything beside `data`. Standard Webhooks has no equivalence at all.
 */

const count = 100_000;
/** `FUZZ_SEED=… npm test -- tests/callback-signatures` plays a run again. */
const seed = Number(process.env["FUZZ_SEED"] ?? Math.trunc(Math.random() * 2 ** 31));
const problemsMax = 5;
const toleranceMs = 300_000;
const { webhookSecret } = credentials;

/** Why what a verifier has said of a delivery is wrong, or undefined. */
type Judge = (mutated: Mutated, isAccepted: boolean) => string | undefined;

/** A verifier, and what has become of the deliveries that it was given. */
interface Trial {
  readonly name: string;
  readonly verify: Verify;
  readonly judge: Judge;
  /** How many it is given: Web Crypto is a few times slower. */
  readonly count: number;
  readonly problems: string[];
  readonly likenesses: Map<Likeness, number>;
  given: number;
  accepted: number;
}

function v1Trial(name: string, verify: Verify, wanted = count): Trial {
  const likenesses = new Map<Likeness, number>();
  const tally = { problems: [], likenesses, given: 0, accepted: 0 };
  return { name, verify, judge: judgeV1(likenesses), count: wanted, ...tally };
}

function standardTrial(name: string, verify: Verify, wanted = count): Trial {
  const tally = { problems: [], likenesses: new Map<Likeness, number>(), given: 0, accepted: 0 };
  return { name, verify, judge: judgeStandard, count: wanted, ...tally };
}

const v1Trials = [
  v1Trial("verifyV1 with splitCallbackBody", isV1Verified),
  v1Trial("the SDK with an apiSecret", sdkVerifier({ webhookSecrets: [] }), count / 5),
];
const standardTrials = [
  standardTrial("verifyStandard", isStandardVerified),
  standardTrial(
    "the SDK with an apiSecret and a webhook secret",
    sdkVerifier({ webhookSecrets: [webhookSecret] }),
    count / 10,
  ),
];
const seen = new Set<string>();

beforeAll(async () => {
  for (const mutated of mutatedDeliveries({ seed, count })) {
    for (const { name } of mutated.mutations) seen.add(name);
    for (const trial of [...v1Trials, ...standardTrials]) {
      if (trial.given < trial.count) await judged(trial, mutated);
    }
  }
}, 240_000);

async function judged(trial: Trial, mutated: Mutated): Promise<void> {
  trial.given += 1;
  const said = trial.verify(mutated.given);
  const isAccepted = typeof said === "boolean" ? said : await said;
  if (isAccepted) trial.accepted += 1;
  const problem = trial.judge(mutated, isAccepted);
  if (problem !== undefined && trial.problems.length < problemsMax) trial.problems.push(told(mutated, problem));
}

function told({ given, mutations }: Mutated, problem: string): string {
  const changes = mutations.map(({ name }) => name).join(", then ");
  return `${problem}: ${changes}: ${JSON.stringify(given.headers)} ${JSON.stringify(given.body.toString("latin1"))}`;
}

const genuine = genuineDeliveries();

/** The genuine callbacks with a header as it was given: the one that was changed, or one that something was taken from. */
function genuineWith(name: HeaderName, value: string | undefined): readonly Delivery[] {
  return genuine.filter(({ headers }) => headers[name] === value);
}

const meanings = new WeakMap<Buffer, Meaning | "none">();

/** Looked up more than once for each body, and again and again for the genuine ones. */
function knownMeaningOf({ body }: Delivery): Meaning | "none" {
  const meaning = meanings.get(body) ?? meaningOf(body) ?? "none";
  meanings.set(body, meaning);
  return meaning;
}

function judgeV1(likenesses: Map<Likeness, number>): Judge {
  return ({ given, mutations }, isAccepted) => {
    const [first, ...more] = mutations;
    const expected = more.length === 0 ? first?.v1 : undefined;
    if (!isAccepted) return expected === "accepted" ? "refused an equivalence" : undefined;
    if (expected === "refused") return "accepted an attack";
    const { timestamp, signature } = given.headers;
    if (given.headers["sign-version"] !== "V1") return "accepted another version";
    if (Math.abs(given.nowMs - Number(timestamp)) > toleranceMs) return "accepted a time that is too far";
    const signed = genuineWith("signature", signature).find(({ headers }) => headers.timestamp === timestamp);
    if (signed === undefined) return "accepted what nobody has signed";
    const [asSigned, asGiven] = [knownMeaningOf(signed), knownMeaningOf(given)];
    if (asSigned === "none" || asGiven === "none") return "accepted what says nothing";
    const likeness = likenessV1(asSigned, asGiven);
    if (likeness === undefined) return "accepted a body that does not say the same";
    likenesses.set(likeness, (likenesses.get(likeness) ?? 0) + 1);
    return undefined;
  };
}

function judgeStandard({ given, mutations }: Mutated, isAccepted: boolean): string | undefined {
  const isUnchanged = mutations.every(({ name }) => name === "nothing changed");
  if (!isAccepted) return isUnchanged ? "refused a genuine one" : undefined;
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures = "" } = given.headers;
  if (Math.abs(given.nowMs - Number(timestamp) * 1_000) > toleranceMs) return "accepted a time that is too far";
  // The header is a list: others may stand beside the genuine one.
  const signed = signatures.split(" ").flatMap((signature) => genuineWith("webhook-signature", signature));
  const isAsSigned = signed.some(
    ({ headers, body }) =>
      headers["webhook-id"] === id && headers["webhook-timestamp"] === timestamp && body.equals(given.body),
  );
  return isAsSigned ? undefined : "accepted another id, time or body";
}

test(`${count} changed callbacks are changed in every way that we know`, () => {
  expect({ seed, missing: mutationNames.filter((name) => !seen.has(name)) }).toEqual({ seed, missing: [] });
});

test.each(v1Trials)("$name believes no changed callback, but for the equivalences of V1", (trial) => {
  const { name, problems, likenesses, given, accepted } = trial;
  console.log(`${name}, seed ${seed}: accepted ${accepted} of ${given}`, Object.fromEntries(likenesses));
  expect({ seed, problems }).toEqual({ seed, problems: [] });
  // Each equivalence was met, so none of them is only written down.
  expect(likenesses.size).toBe(4);
});

test.each(standardTrials)("$name believes no callback with another id, time or byte of the body", (trial) => {
  const { name, problems, given, accepted } = trial;
  console.log(`${name}, seed ${seed}: accepted ${accepted} of ${given}, none with another id, time or body`);
  expect({ seed, problems }).toEqual({ seed, problems: [] });
  expect(accepted).toBeGreaterThan(0);
});
