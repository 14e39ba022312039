import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { authData, cardUpdateData, consumption, credentials, webhookSecret } from "../../test/pushes.ts";
import {
  type AuthAnswer,
  approve,
  type CallbackHandler,
  type CallbackToSign,
  createCallbacks,
  decline,
  type HandlerOptions,
  leaveToPlatform,
  memoryRepeatStore,
} from "../index.ts";

const callbacks = createCallbacks({ ...credentials, webhookSecrets: [webhookSecret] });
const v1Only = createCallbacks(credentials);

async function answerOf(handler: CallbackHandler, callback: CallbackToSign, signer = callbacks) {
  const { status, body } = await handler.handle(await signer.sign(callback));
  const json: unknown = JSON.parse(body);
  return { status, ...Object.fromEntries(Object.entries(Object(json))) };
}

const auth = (id: string, amount = 12.5): CallbackToSign => ({ action: "Auth", id, data: { ...authData, amount } });

test("an onAuth that hangs is answered for, told to stop, and what it says later is handed on", async () => {
  const late: AuthAnswer[] = [];
  let release: ((answer: AuthAnswer) => void) | undefined;
  let aborted = false;
  const handler = callbacks.handler({
    authTimeoutMs: 30,
    onAuth: (_, { signal, msLeft }) => {
      expect(msLeft()).toBeLessThanOrEqual(30);
      signal.addEventListener("abort", () => (aborted = true));
      return new Promise((resolve) => (release = resolve));
    },
    onLateAuth: (_, answer) => void late.push(answer),
  });
  expect(await answerOf(handler, auth("1"))).toEqual({
    status: 200,
    code: 5100,
    message: "no decision in time",
    reason: "do_not_honor",
  });
  expect(aborted).toBe(true);
  release?.(approve());
  await vi.waitFor(() => expect(late).toEqual([approve()]));
  // The platform went by the first answer: a repeat must not hear another one.
  expect(await answerOf(handler, auth("1"))).toMatchObject({ code: 5100 });
});

test("a deadline that leaves less than the safety time-out shortens it", async () => {
  const handler = callbacks.handler({ authTimeoutMs: 10_000, onAuth: () => new Promise(() => {}) });
  expect(await answerOf(handler, { ...auth("1"), deadlineMs: 130 })).toMatchObject({ code: 5100 });
});

test.each<[string, HandlerOptions, object]>([
  [
    "throws",
    {
      onAuth: () => {
        throw new Error("no database");
      },
    },
    { code: 5100, message: "no decision" },
  ],
  ["is not there", {}, { code: 5100, message: "not handled" }],
  [
    "throws, with an answer of one's own",
    { onAuth: () => Promise.reject(new Error("no")), authFallback: decline("system_down", { code: 7 }) },
    { code: 7, reason: "system_down" },
  ],
  [
    "hangs, with an answer by reason",
    {
      authTimeoutMs: 5,
      onAuth: () => new Promise(() => {}),
      authFallback: (_, why) => (why === "late" ? approve() : decline()),
    },
    { code: 0 },
  ],
  ["leaves it to the platform", { onAuth: () => leaveToPlatform() }, { status: 503, code: 503 }],
  [
    "hangs, and the fallback throws",
    {
      authTimeoutMs: 5,
      onAuth: () => new Promise(() => {}),
      authFallback: () => {
        throw new Error("no");
      },
    },
    { status: 500, code: 500 },
  ],
])("an onAuth that %s still gives an answer", async (_, options, expected) => {
  expect(await answerOf(callbacks.handler(options), auth("1"))).toMatchObject(expected);
});

test("a purchase that is asked about twice is decided once, at the same time and later", async () => {
  let decisions = 0;
  let repeats = 0;
  const handler = callbacks.handler({
    onRepeat: () => void (repeats += 1),
    onAuth: async () => {
      decisions += 1;
      await sleep(20);
      return decline("exceeds_limit");
    },
  });
  const answers = await Promise.all([auth("1"), auth("1"), auth("1")].map((each) => answerOf(handler, each)));
  answers.push(await answerOf(handler, auth("1")));
  expect([decisions, repeats]).toEqual([1, 3]);
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
});

test("a push that was taken is not handled again; one that failed is", async () => {
  const handled: string[] = [];
  const errors: unknown[] = [];
  let isDown = true;
  const handler = callbacks.handler({
    onConsumption: ({ id }) => {
      handled.push(id);
      if (isDown) throw new Error("no database");
    },
    onError: (error) => void errors.push(error),
  });
  expect(await answerOf(handler, consumption(1))).toMatchObject({ status: 500, code: 500 });
  isDown = false;
  expect(await answerOf(handler, consumption(1))).toEqual({ status: 200, code: 0, message: "" });
  expect(await answerOf(handler, consumption(1))).toEqual({ status: 200, code: 0, message: "" });
  expect(handled).toEqual(["push-C1-1", "push-C1-1"]);
  expect(errors.map(String)).toEqual(["Error: no database"]);
});

test("with V1 alone a push that comes again under another id is the same push", async () => {
  let handled = 0;
  const handler = v1Only.handler({ onConsumption: () => void (handled += 1) });
  await answerOf(handler, consumption(1, { id: "a" }), v1Only);
  await answerOf(handler, consumption(1, { id: "b" }), v1Only);
  expect(handled).toBe(1);
});

test("pushes about one card are handled one after the other in their order, those of other cards meanwhile", async () => {
  const told: string[] = [];
  const handler = callbacks.handler({
    onConsumption: async ({ sequence, data }) => {
      told.push(`${data.card_no} ${sequence} begins`);
      await sleep(10);
      told.push(`${data.card_no} ${sequence} ends`);
    },
    gapWaitMs: 5_000,
  });
  await answerOf(handler, consumption(1));
  const answers = [4, 2, 3].map((n) => answerOf(handler, consumption(n)));
  await answerOf(handler, consumption(9, { card: "C2" }));
  await Promise.all(answers);
  const ofFirst = told.filter((line) => line.startsWith("C1"));
  expect(ofFirst).toEqual([1, 2, 3, 4].flatMap((n) => [`C1 ${n} begins`, `C1 ${n} ends`]));
  expect(told.indexOf("C2 9 ends")).toBeLessThan(told.indexOf("C1 4 ends"));
});

test("a push that never comes holds the next one up for a bounded time, and is told late when it does come", async () => {
  const told: [number | null, boolean][] = [];
  const handler = callbacks.handler({
    onConsumption: ({ sequence }, { isLate }) => void told.push([sequence, isLate]),
    gapWaitMs: 20,
  });
  await answerOf(handler, consumption(1));
  expect(await answerOf(handler, consumption(3))).toMatchObject({ code: 0 });
  await answerOf(handler, consumption(2));
  expect(told).toEqual([
    [1, false],
    [3, false],
    [2, true],
  ]);
});

test("a handling that takes too long is answered as not taken, goes on, and is not begun again by the repeat", async () => {
  let begun = 0;
  let finish = (): void => {};
  const handler = callbacks.handler({
    pushTimeoutMs: 30,
    onConsumption: () => {
      begun += 1;
      return new Promise((resolve) => (finish = resolve));
    },
  });
  expect(await answerOf(handler, consumption(1))).toMatchObject({ status: 503, code: 503 });
  const repeat = answerOf(handler, consumption(1));
  await sleep(5);
  finish();
  expect(await repeat).toMatchObject({ code: 0 });
  expect(begun).toBe(1);
});

test("more pushes than may wait for one card are sent away, not kept", async () => {
  let finish = (): void => {};
  const handler = callbacks.handler({
    pushTimeoutMs: 60_000,
    onConsumption: () => new Promise<void>((resolve) => (finish = resolve)),
  });
  const waiting = Array.from({ length: 66 }, (_, at) => answerOf(handler, consumption(at + 1)));
  const overloaded = await Promise.race(waiting);
  expect(overloaded).toMatchObject({ status: 503, message: "overloaded" });
  finish();
});

test("a test push is taken without anybody being bothered", async () => {
  const handler = callbacks.handler({ onCardUpdate: () => expect.unreachable() });
  const data = { ...cardUpdateData, before_status: "Activated", after_status: "Activated", reason: "test" } as const;
  expect(await answerOf(handler, { action: "Card_update", data, isTest: true })).toMatchObject({ code: 0 });
});

test("the header of a test push alone hides no change", async () => {
  let told = 0;
  const handler = callbacks.handler({ onCardUpdate: () => void (told += 1) });
  await answerOf(handler, { action: "Card_update", data: cardUpdateData, isTest: true });
  expect(told).toBe(1);
});

test("an action that is not known yet is taken, and told to who wants to know", async () => {
  const seen: unknown[] = [];
  const handler = callbacks.handler({ onOther: ({ wireAction, data }) => void seen.push([wireAction, data]) });
  const dataText = '{"card_no":"C1","news":[1]}';
  expect(await answerOf(handler, { action: "Card_shipped", dataText })).toMatchObject({ code: 0 });
  expect(seen).toEqual([["Card_shipped", { card_no: "C1", news: [1] }]]);
  expect(await answerOf(callbacks.handler({}), { action: "Card_shipped", dataText })).toMatchObject({ code: 0 });
});

test("a store of repeats that is down costs no purchase and no push", async () => {
  const errors: unknown[] = [];
  const down = (): Promise<never> => Promise.reject(new Error("store down"));
  const handler = callbacks.handler({
    repeats: { get: down, set: down },
    onAuth: () => approve(),
    onError: (error) => void errors.push(error),
  });
  expect(await answerOf(handler, auth("1"))).toMatchObject({ code: 0 });
  expect(await answerOf(handler, consumption(1))).toMatchObject({ code: 0 });
  await vi.waitFor(() => expect(errors).toHaveLength(4));
});

test("a store of repeats that hangs does not keep a purchase from its answer", async () => {
  const handler = callbacks.handler({
    authTimeoutMs: 30,
    repeats: { get: () => new Promise(() => {}), set: () => new Promise(() => {}) },
    onAuth: () => approve(),
  });
  expect(await answerOf(handler, auth("1"))).toMatchObject({ code: 5100 });
});

test("the memory of repeats is bounded", async () => {
  const store = memoryRepeatStore({ entriesMax: 2 });
  for (const key of ["a", "b", "a", "c"]) await store.set(key, key);
  expect(["a", "b", "c"].map((key) => store.get(key))).toEqual(["a", undefined, "c"]);
});

test.each([{ authTimeoutMs: 0 }, { authTimeoutMs: 10_001 }, { pushTimeoutMs: 1.5 }, { gapWaitMs: -1 }])(
  "%o is refused before anything is answered",
  (options) => {
    expect(() => callbacks.handler(options)).toThrow(RangeError);
  },
);

test.each(["-1", "0", "0.00", "1.234", "1e2", "", "01"])("a part of %j is no approval", (approvedAmount) => {
  expect(() => approve({ approvedAmount })).toThrow(TypeError);
});

test("a decline has a word for its reason and a code that is not 0", () => {
  expect(() => decline("two words")).toThrow(TypeError);
  expect(() => decline("x", { code: 0 })).toThrow(TypeError);
  expect(() => decline("x", { code: 1.5 })).toThrow(TypeError);
});
