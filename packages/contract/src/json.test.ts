import * as fc from "fast-check";
import { expect, test } from "vitest";
import { JSON_DEPTH_MAX, type JsonBodyResult, parseJsonBody } from "./json.ts";

const parse = (text: string): JsonBodyResult => parseJsonBody(new TextEncoder().encode(text));

test("what JSON.stringify writes is read as JSON.parse reads it", () => {
  const key = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !text.includes("\0"));
  const leaf = fc.oneof(key, fc.double({ noNaN: true }), fc.boolean(), fc.constant(null));
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      leaf,
      fc.array(tie("node")),
      fc.dictionary(key, tie("node")),
    ),
  })).node;
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 2), (node, indent) => {
      const text = JSON.stringify(node, null, indent);
      expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
    }),
  );
});

test("bytes that JSON.parse refuses are refused, and no bytes make it throw", () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc
      .string({ unit: fc.constantFrom(...Array.from('{}[]",:\\u0019e-. tfn')), maxLength: 40 })
      .map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(noise, (bytes) => {
      const result = parseJsonBody(bytes);
      if (!result.ok) return;
      expect(result.value).toEqual(JSON.parse(new TextDecoder().decode(bytes)));
    }),
    { numRuns: 2_000 },
  );
});

test.each(["", " ", "{", '{"a":1}x', "{'a':1}", '{"a":1,}', "NaN", '{"a":"\t"}', "// x\n{}"])(
  "%j is refused",
  (text) => {
    expect(parse(text)).toEqual({ ok: false });
  },
);

test("bytes that are not UTF-8 are refused", () => {
  expect(parseJsonBody(Uint8Array.from([0x22, 0xff, 0x22]))).toEqual({ ok: false });
  // An overlong form of "/", and a surrogate written as three bytes.
  expect(parseJsonBody(Uint8Array.from([0x22, 0xc0, 0xaf, 0x22]))).toEqual({ ok: false });
  expect(parseJsonBody(Uint8Array.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toEqual({ ok: false });
});

test("a duplicate key is refused at any level and named by its path", () => {
  expect(parse('{"page":1,"size":2,"page":1}')).toEqual({ ok: false, field: "page" });
  expect(parse('{"address_info":{"city":"a","city":"b"}}')).toEqual({ ok: false, field: "address_info.city" });
  expect(parse('[{"a":1},{"b":[{"c":1,"c":1}]}]')).toEqual({ ok: false, field: "b.c" });
  expect(parse('{"a":{},"b":{},"a":{}}')).toEqual({ ok: false, field: "a" });
});

test("a duplicate key hidden by an escape is found", () => {
  expect(parse('{"page":1,"\\u0070age":2}')).toEqual({ ok: false, field: "page" });
});

test("the same key in different objects, and as a value, is no duplicate", () => {
  const text = '{"a":{"a":"a"},"b":[{"a":1},{"a":1},"a","a"],"c":"a","d":","}';
  expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
});

test("a key that is no name of the contract is not repeated to the caller", () => {
  expect(parse('{"<b>":1,"<b>":2}')).toEqual({ ok: false });
  expect(parse(`{"${"x".repeat(65)}":1,"${"x".repeat(65)}":2}`)).toEqual({ ok: false });
});

test("depth 32 is read and depth 33 is refused", () => {
  expect(parse("[".repeat(JSON_DEPTH_MAX) + "]".repeat(JSON_DEPTH_MAX)).ok).toBe(true);
  expect(parse("[".repeat(JSON_DEPTH_MAX + 1) + "]".repeat(JSON_DEPTH_MAX + 1)).ok).toBe(false);
  expect(parse('{"a":'.repeat(JSON_DEPTH_MAX + 1) + "1" + "}".repeat(JSON_DEPTH_MAX + 1)).ok).toBe(false);
  expect(parse("[".repeat(30_000) + "]".repeat(30_000)).ok).toBe(false);
});

test("__proto__ and constructor are plain data", () => {
  const result = parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
  expect(result.ok).toBe(true);
  expect(Object.hasOwn({}, "polluted")).toBe(false);
  expect(Reflect.get({}, "polluted")).toBeUndefined();
  expect(parse('{"__proto__":1,"__proto__":2}')).toEqual({ ok: false, field: "__proto__" });
});

test("texts that Postgres cannot store are refused in keys and values, and named where they stand", () => {
  expect(parse('{"city":"a\\u0000b"}')).toEqual({ ok: false, field: "city" });
  expect(parse('{"city":"\\ud800"}')).toEqual({ ok: false, field: "city" });
  expect(parse('{"a":{"b":["\\udc00\\ud800"]}}')).toEqual({ ok: false, field: "a.b" });
  expect(parse('{"\\u0000":1}')).toEqual({ ok: false });
  expect(parse('"\\u0000"')).toEqual({ ok: false });
});

test("escapes that are well formed are read", () => {
  expect(parse('{"a":"\\ud83d\\ude00 \\" \\\\ \\u4e2d"}')).toEqual({ ok: true, value: { a: '😀 " \\ 中' } });
  expect(parse('{"a\\\\":"\\\\"}')).toEqual({ ok: true, value: { "a\\": "\\" } });
});

test("a byte order mark is ignored", () => {
  expect(parse('\ufeff{"a":1}')).toEqual({ ok: true, value: { a: 1 } });
});
