import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { envelopeGeneration, openEnvelope, sealEnvelope } from "./envelope.ts";

const key = { generation: 7, bytes: randomBytes(32) };
const owner = { family: "pan", recordId: "1/C20260522X" };

test("what was sealed opens to the same bytes, and no two envelopes of one text are alike", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (bytes, recordId) => {
      const plain = Buffer.from(bytes);
      const mine = { family: "pin", recordId };
      const envelope = sealEnvelope(key, mine, plain);
      expect(openEnvelope(key, mine, envelope).equals(plain)).toBe(true);
      expect(sealEnvelope(key, mine, plain).equals(envelope)).toBe(false);
      expect(envelopeGeneration(envelope)).toBe(7);
    }),
  );
});

test("a change of any bit of any byte is refused", () => {
  const envelope = sealEnvelope(key, owner, Buffer.from("4567351200000123"));
  for (let at = 0; at < envelope.length; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const changed = Buffer.from(envelope);
      changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
      expect(() => openEnvelope(key, owner, changed)).toThrow("vault record");
    }
  }
});

test("an envelope that was cut short or made longer is refused", () => {
  const envelope = sealEnvelope(key, owner, Buffer.from("4567351200000123"));
  for (let length = 0; length < envelope.length; length += 1) {
    expect(() => openEnvelope(key, owner, envelope.subarray(0, length))).toThrow("vault record");
  }
  expect(() => openEnvelope(key, owner, Buffer.concat([envelope, Buffer.alloc(1)]))).toThrow("vault record");
  expect(() => openEnvelope(key, owner, Buffer.concat([envelope, Buffer.alloc(10_000)]))).toThrow("unknown form");
});

test("an envelope of one record does not open as another record, in another family or with another key", () => {
  const envelope = sealEnvelope(key, owner, Buffer.from("4567351200000123"));
  for (const [otherKey, otherOwner] of [
    [key, { ...owner, recordId: "1/C20260522Y" }],
    [key, { ...owner, recordId: "2/C20260522X" }],
    [key, { ...owner, family: "pin" }],
    [{ ...key, bytes: randomBytes(32) }, owner],
    [{ ...key, generation: 8 }, owner],
  ] as const) {
    expect(() => openEnvelope(otherKey, otherOwner, envelope)).toThrow("vault record");
  }
});

test("a record over 4 KiB is not sealed", () => {
  expect(() => sealEnvelope(key, owner, Buffer.alloc(4097))).toThrow("4 KiB");
});
