import * as fc from "fast-check";
import { expect, test } from "vitest";
import { anyCharacter } from "../test/any-character.ts";
import { signV1, splitCallbackBody, verifyV1 } from "./index.ts";

const dataText = '{"card_no":"C202605220001","amount":100.00,"n":{ "b" : 1 }}';

function reasonOf(bodyText: string): string {
  const body = splitCallbackBody(bodyText);
  return body.ok ? "accepted" : body.reason;
}

test("data is taken out of the body character by character", () => {
  expect(splitCallbackBody(`{"id":"push_1","action":"Card_update","data":${dataText}}`)).toEqual({
    ok: true,
    value: { id: "push_1", action: "Card_update", dataText },
  });
});

test("order, blanks and unknown keys do not matter, and a number is taken as the text of the id", () => {
  expect(splitCallbackBody(`\n{ "data" : ${dataText} , "v":[1,{}], "action":"\\u0041uth", "id":42 }\n`)).toEqual({
    ok: true,
    value: { id: "42", action: "Auth", dataText },
  });
});

test("what a sender signs is verified from the body that arrives", () => {
  const signing = { appId: "app_demo", apiSecret: "secret_demo", timestamp: "1716307200000" };
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.jsonValue()),
      fc.nat({ max: 3 }),
      (data, indent) => {
        const sent = JSON.stringify({ id: "push_1", action: "Consumption", data }, undefined, indent);
        const body = splitCallbackBody(sent);
        const received = body.ok ? body.value.dataText : "";
        expect(JSON.parse(received)).toEqual(JSON.parse(JSON.stringify(data)));
        expect(sent).toContain(received);
        const signature = signV1({ ...signing, dataText: received });
        expect(verifyV1({ ...signing, dataText: received, signature, nowMs: 1_716_307_200_000 }).ok).toBe(true);
      },
    ),
  );
});

test.each([
  ["", "not_json"],
  ["{", "not_json"],
  ["[]", "not_an_object"],
  ["null", "not_an_object"],
  ['{"id":"1","action":"Auth","data":{},"data":{"status":"x"}}', "duplicate_key"],
  ['{"id":"1","id":"2","action":"Auth","data":{}}', "duplicate_key"],
  ['{"id":"1","action":"Auth","data":{},"d\\u0061ta":{}}', "duplicate_key"],
  ['{"id":"1","action":"Auth","data":{},"x":1,"x":1}', "duplicate_key"],
  ['{"action":"Auth","data":{}}', "id_invalid"],
  ['{"id":"","action":"Auth","data":{}}', "id_invalid"],
  ['{"id":null,"action":"Auth","data":{}}', "id_invalid"],
  ['{"id":{},"action":"Auth","data":{}}', "id_invalid"],
  ['{"id":"1","data":{}}', "action_invalid"],
  ['{"id":"1","action":1,"data":{}}', "action_invalid"],
  ['{"id":"1","action":"Auth"}', "data_invalid"],
  ['{"id":"1","action":"Auth","data":null}', "data_invalid"],
  ['{"id":"1","action":"Auth","data":"{}"}', "data_invalid"],
  ['{"id":"1","action":"Auth","data":[]}', "data_invalid"],
  [`{"id":"${"1".repeat(1_048_576)}","action":"Auth","data":{}}`, "too_large"],
])("the body %.60s is refused as %s", (bodyText, reason) => {
  expect(reasonOf(bodyText)).toBe(reason);
});

test("any text at all gets an answer", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: anyCharacter }), fc.json(), fc.stringMatching(/^[{}[\]":,\\ud0-9a]*$/)),
      (text) => {
        expect(typeof splitCallbackBody(text).ok).toBe("boolean");
      },
    ),
  );
});
