import { textAt } from "@cardwright/testing/api";
import { type DeveloperScene, openDeveloperScene, refuses } from "@cardwright/testing/developer-scene";
import { afterAll, beforeAll, expect, test } from "vitest";
import { document, fencedBlocks } from "./documents.ts";

/** docs/reference/developer-api.md: its calls are made in their order, on a merchant whose server refuses, and answer what the page shows. */

const blocks = fencedBlocks(document("docs/reference/developer-api.md"));
const calls = blocks.filter(({ language }) => language === "http");
const answers = new Map<number, unknown>();

let scene: DeveloperScene;

beforeAll(async () => {
  scene = await openDeveloperScene();
  await scene.post("/webhook-secret/rotate");
  scene.server.answer = refuses;
  await scene.changeCard();
  await scene.deliver();
  const { data } = await scene.post("/callback/list", { state: "Open" });
  const callbackId = textAt(data, "list", 0, "callback_id");
  for (const call of calls) {
    // The page's id stands for that of the reader's own push, its URL for the reader's own server.
    const text = call.text
      .replaceAll("019e4f2a-7c00-7d3e-9a1b-3d5e7f901234", callbackId)
      .replaceAll("http://127.0.0.1:3000/callback", scene.server.url);
    answers.set(call.line, await made(text));
    await scene.deliver();
  }
});
afterAll(() => scene.close());

async function made(text: string): Promise<unknown> {
  const [first = "", ...body] = text.trimEnd().split("\n");
  const [method = "", path = ""] = first.split(" ");
  const headers = await scene.api.headersOf(scene.merchant);
  const json = body.join("\n");
  const answer = await scene.api.call({ method, path, headers, ...(json !== "" && { body: json }) });
  return JSON.parse(answer.text);
}

const shown = blocks.flatMap((block, index) => {
  const before = blocks[index - 1];
  return block.language === "json" && before?.language === "http" ? [{ ...block, callLine: before.line }] : [];
});

test("the page shows every endpoint of the API, each of which answers", () => {
  expect(calls).toHaveLength(13);
  expect(shown).toHaveLength(10);
  const refused = calls.filter(({ line }) => Reflect.get(Object(answers.get(line)), "code") !== 0);
  expect(refused.map(({ text }) => text)).toEqual([expect.stringContaining('"missed": true, "since"')]);
});

test.each(shown)("what is shown in line $line is what the call in line $callLine answers", (block) => {
  expect(formOf(answers.get(block.callLine))).toEqual(formOf(JSON.parse(block.text)));
});

/** Fields whose value matters, beside their being there. */
const exact =
  /^(?:code|msg|name|mode|environment|action|consume_no|sequence|state|attempts?|finished_at|last_error|.*_status|reason|error|answer|resent|unknown|paused_by|open_.*|delivered|resumed)$/u;

function formOf(value: unknown, name = ""): unknown {
  if (Array.isArray(value)) {
    return value.map((each) => formOf(each, name));
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, formOf(member, key)]));
  }
  return exact.test(name) ? value : typeof value;
}
