import * as fc from "fast-check";
import { expect, test } from "vitest";
import { rawMembers, stringOf } from "./raw-json.ts";

test("every member of every object comes back with the very text it was written with", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()),
      fc.integer({ min: 0, max: 3 }),
      (object, indent) => {
        const own = Object.entries(object);
        const members = rawMembers(JSON.stringify(object, undefined, indent));
        expect(members?.size).toBe(own.length);
        for (const [key, value] of own) {
          const raw = members?.get(key) ?? "";
          const compact = indent === 0 ? raw : JSON.stringify(JSON.parse(raw));
          expect(compact).toBe(JSON.stringify(value));
        }
      },
    ),
  );
});

test("numbers keep the digits they were sent with", () => {
  expect(rawMembers('{"amount": 100.00 ,"big":12345678901234567890}')).toEqual(
    new Map([
      ["amount", "100.00"],
      ["big", "12345678901234567890"],
    ]),
  );
});

test.each(["", "[]", "null", "1", '"{}"', "{", '{"a":1}x', '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', "[".repeat(60_000)])(
  "%.20s is not one JSON object with distinct keys",
  (json) => {
    expect(rawMembers(json)).toBeUndefined();
  },
);

test("a string is read out of its raw text, anything else is not a string", () => {
  expect([stringOf('"a\\"é"'), stringOf("1"), stringOf("null"), stringOf(undefined)]).toEqual([
    'a"é',
    undefined,
    undefined,
    undefined,
  ]);
});
