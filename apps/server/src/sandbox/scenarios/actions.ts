import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "#kernel/index.ts";
import { parseDuration } from "../duration.ts";
import { changedFile } from "./changed-file.ts";
import type { Numbers } from "./numbers.ts";
import { filled, filledFields, namesIn } from "./placeholders.ts";
import type { ExpectedAnswer, Step } from "./schema.ts";
import { SceneFailed, type Stage, typed } from "./stage.ts";
import { textAt, type WireAnswer, type Witness } from "./wire.ts";

/** A message of the network that was sent, so that it can be sent again. */
export interface SentWire {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Scene {
  readonly stage: Stage;
  readonly witness: Witness;
  readonly numbers: Numbers;
  /** Unique in the merchant's life: every network reference of the scenario begins with it. */
  readonly runId: string;
  readonly sent: Map<string, SentWire>;
  readonly cardNos: string[];
  /** Parts of answers that a step has kept, by their names. */
  readonly kept: Map<string, string>;
  /** Ends the platform and starts it again; absent where nobody may. */
  readonly restart?: () => Promise<void>;
}

/** Does what the step says and returns the answer that its expectations are about; null where there is none. */
export async function act(scene: Scene, step: Step): Promise<WireAnswer | null> {
  const { stage, witness } = scene;
  if (step.purchase !== undefined) return authorize(scene, "/purchases", step.purchase);
  if (step.advise !== undefined) return authorize(scene, "/advices", step.advise);
  if (step.increment !== undefined) return authorize(scene, "/increments", step.increment);
  if (step.clear !== undefined) return tell(scene, "/clearings", step.clear);
  if (step.refund !== undefined) return tell(scene, "/refunds", step.refund);
  if (step.reverse !== undefined) return tell(scene, "/reversals", step.reverse);
  if (step.repeat !== undefined) return repeat(scene, step.repeat);
  if (step.open_card !== undefined) return openCard(scene, step.open_card.as);
  if (step.card_status !== undefined) {
    return stage.openApi("/card/status/update", { card_no: cardOf(scene), status: step.card_status });
  }
  if (step.transfer !== undefined) {
    const { as, type, amount } = step.transfer;
    const unique = { cardholder_no: stage.cardholderNo, transfer_unique_no: `${scene.runId}-${as}` };
    return stage.openApi("/account/transfer", { ...unique, type, balance: amount });
  }
  if (step.recharge !== undefined) {
    await stage.recharge(step.recharge.amount);
    return null;
  }
  if (step.advance !== undefined) return advance(scene, step.advance);
  if (step.server !== undefined) {
    const { answers, reason, approved_amount, pushes } = step.server;
    if (answers !== undefined) {
      witness.answerWith({
        kind: answers,
        ...(reason !== undefined && { reason }),
        ...(approved_amount !== undefined && { approvedAmount: approved_amount }),
      });
    }
    if (pushes !== undefined) witness.takePushes(pushes === "accepted");
    return null;
  }
  if (step.operate !== undefined) return operate(scene, step.operate);
  if (step.settle_day !== undefined) return settleDay(scene, step.settle_day);
  if (scene.restart === undefined) throw new SceneFailed("nobody may restart the platform here");
  await scene.restart();
  return null;
}

type Operate = NonNullable<Step["operate"]>;
type SettleDay = NonNullable<Step["settle_day"]>;

async function operate(scene: Scene, { method, path, body, by }: Operate): Promise<WireAnswer> {
  const nameOf = await namesFor(scene, [path, body]);
  const request = { method, path: `/operator/v1${String(filled(path, nameOf))}` };
  return scene.stage.operate(
    { ...request, ...(body !== undefined && { body: typed(filledFields(body, nameOf)) }) },
    by,
  );
}

async function settleDay(scene: Scene, { by, changes = [] }: SettleDay): Promise<WireAnswer> {
  const { stage } = scene;
  const file = await stage.settlementFile(dayOf((await stage.now()) - dayMs));
  const otherwise = changes.map(({ message: of, settled, names, left_out }) => ({
    reference: referenceOf(scene, of),
    settled,
    newReference: names === undefined ? undefined : referenceOf(scene, names),
    leftOut: left_out,
  }));
  return stage.importFile(changedFile(file, otherwise), by);
}

const dayMs = 86_400_000;
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** What the names in braces of these values stand for. */
async function namesFor(scene: Scene, values: unknown): Promise<(name: string) => string> {
  const { stage, kept, numbers } = scene;
  const names = namesIn(values);
  const now = names.includes("today") || names.includes("yesterday") ? await stage.now() : 0;
  const own: Readonly<Record<string, string>> = {
    ...stage.names,
    run: scene.runId,
    today: dayOf(now),
    yesterday: dayOf(now - dayMs),
  };
  return (name) => {
    const value = own[name] ?? kept.get(name) ?? numbers.of(name);
    if (value === "") throw new SceneFailed(`{${name}} stands for nothing yet`);
    return value;
  };
}

/** What the step expects of its answer, with the names in it filled in. */
export async function expectedAnswer(scene: Scene, step: Step): Promise<ExpectedAnswer> {
  const { body, ...fields } = step.answers?.[scene.stage.merchant.mode] ?? {};
  return body === undefined ? fields : { ...fields, body: filledFields(body, await namesFor(scene, body)) };
}

/** Keeps the parts of the answer that the step names; a sentence for each that is not there. */
export function keepParts(scene: Scene, step: Step, answer: WireAnswer): readonly string[] {
  const parts = Object.entries({ ...step.operate?.keep, ...step.settle_day?.keep });
  return parts.flatMap(([name, path]) => {
    const value = textAt(answer.json, ...path.split("."));
    scene.kept.set(name, value);
    return value === "" ? [`the answer has no ${path} to keep as ${name}`] : [];
  });
}

const referenceOf = (scene: Scene, alias: string): string => `${scene.runId}-${alias}`;

function cardOf(scene: Scene, alias?: string): string {
  const cardNo = alias === undefined ? scene.cardNos.at(-1) : scene.numbers.of(alias);
  if (cardNo === undefined || cardNo === "") throw new SceneFailed("there is no such card yet");
  return cardNo;
}

interface MessageInput {
  readonly as: string;
  readonly card?: string | undefined;
  readonly of?: string | undefined;
  readonly [field: string]: unknown;
}

function messageOf(scene: Scene, path: string, input: MessageInput): SentWire {
  const { as, card, of, ...fields } = input;
  const body = {
    card_no: cardOf(scene, card),
    network_reference: referenceOf(scene, as),
    ...(of !== undefined && { original_reference: referenceOf(scene, of) }),
    ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
  };
  const message = { path, body };
  scene.sent.set(as, message);
  return message;
}

async function tell(scene: Scene, path: string, input: MessageInput): Promise<WireAnswer> {
  const message = messageOf(scene, path, input);
  return scene.stage.sandbox(message.path, message.body);
}

/** The answer tells the number of what was made: from here on the message's name is the consumption's. */
async function authorize(scene: Scene, path: string, input: MessageInput): Promise<WireAnswer> {
  const answer = await tell(scene, path, input);
  const consumeNo = answer.json["consume_no"];
  if (typeof consumeNo === "string" && consumeNo !== "") scene.numbers.is(input.as, consumeNo);
  return answer;
}

async function repeat(
  scene: Scene,
  {
    message,
    ...changes
  }: { readonly message: string; readonly amount?: string | undefined; readonly currency?: string | undefined },
): Promise<WireAnswer> {
  const sent = scene.sent.get(message);
  if (sent === undefined) throw new SceneFailed(`${message} was not sent before`);
  const changed = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  return scene.stage.sandbox(sent.path, { ...sent.body, ...changed });
}

async function openCard(scene: Scene, alias: string): Promise<null> {
  const cardNo = await scene.stage.applyForCard();
  scene.cardNos.push(cardNo);
  scene.numbers.is(alias, cardNo);
  return null;
}

/** Ten years of days. */
const stepsMax = 3_650;
/** Long enough that the work that has become due has begun, too short for it to be over. */
const restartAfterMs = 20;

type Advance = NonNullable<Step["advance"]>;

async function advance(scene: Scene, { by, times = 1, restarted }: Advance): Promise<WireAnswer | null> {
  if (by === undefined) {
    const now = await scene.stage.now();
    // A second into the day: what is written down while the clock moves belongs to the day before.
    const seconds = Math.ceil((dayMs - (now % dayMs)) / 1_000) + 1;
    return scene.stage.sandbox("/clock", { advance: `PT${seconds}S` });
  }
  if (restarted === true) return advanceAndRestart(scene, by);
  let answer: WireAnswer | null = null;
  for (let step = 0; step < Math.min(times, stepsMax); step += 1) {
    answer = await scene.stage.sandbox("/clock", { advance: by });
    if (answer.status !== 200) return answer;
  }
  return answer;
}

/** The call may be answered, refused or lost when the process ends; what it has not moved is moved afterwards. */
async function advanceAndRestart(scene: Scene, by: string): Promise<WireAnswer | null> {
  const { stage } = scene;
  const length = parseDuration(by, { from: systemClock.now() });
  if (scene.restart === undefined || !length.ok) throw new SceneFailed("nobody may restart the platform here");
  const aim = (await stage.aheadMs()) + length.value;
  const moving = stage.sandbox("/clock", { advance: by }).catch(() => null);
  await sleep(restartAfterMs);
  await scene.restart();
  await moving;
  const missing = Math.ceil((aim - (await stage.aheadMs())) / 1_000);
  return missing <= 0 ? null : stage.sandbox("/clock", { advance: `PT${missing}S` });
}
