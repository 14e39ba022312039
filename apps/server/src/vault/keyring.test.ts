import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import * as fc from "fast-check";
import { afterAll, beforeEach, expect, test } from "vitest";
import { createKeyring, type Keyring, sealingFamilies } from "./keyring.ts";
import { newMasterKey, parseMasterKeys } from "./master-keys.ts";

const older = newMasterKey("older");
const newer = newMasterKey("newer");
/** In the order of their names. */
const everyFamily = ["client_key", "derivation", "pan", "pin", "secret", "webhook"];
const clock = { now: () => Date.UTC(2026, 4, 22) };
const database: TestDatabase = await createTestDatabase();
afterAll(() => database.drop());
beforeEach(() => database.ownerPool.query("TRUNCATE vault.data_key"));

function keyringWith(masterKeys: string, at = clock): Keyring {
  return createKeyring({ sql: database.vaultPool, clock: at, masterKeys: parseMasterKeys(masterKeys) });
}

async function storedKeys(): Promise<string[]> {
  const text = `SELECT family || '/' || generation || '/' || master_key_id AS key FROM vault.data_key ORDER BY 1`;
  return (await database.ownerPool.query<{ key: string }>(text)).rows.map((row) => row.key);
}

test("what one process seals another process with the same master key opens", async () => {
  const [one, other] = [keyringWith(older), keyringWith(older)];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...sealingFamilies),
      fc.string(),
      fc.uint8Array(),
      async (family, recordId, bytes) => {
        const envelope = await one.seal({ family, recordId, plain: Buffer.from(bytes) });
        expect((await other.open({ family, recordId, envelope })).equals(bytes)).toBe(true);
      },
    ),
  );
});

test("an envelope of one record is refused as another record and in another family", async () => {
  const keyring = keyringWith(older);
  const envelope = await keyring.seal({ family: "pan", recordId: "1/C1", plain: Buffer.from("4567351200000123") });
  await expect(keyring.open({ family: "pan", recordId: "1/C2", envelope })).rejects.toThrow("does not belong here");
  await expect(keyring.open({ family: "secret", recordId: "1/C1", envelope })).rejects.toThrow("does not belong here");
});

test("fifty processes that start at once on an empty database agree on one key per family", async () => {
  const keyrings = Array.from({ length: 50 }, () => keyringWith(older));
  await Promise.all(keyrings.map((keyring) => keyring.warmUp()));
  expect(await storedKeys()).toEqual(everyFamily.map((family) => `${family}/1/older`));
  const derived = await Promise.all(
    keyrings.map(async (keyring) => (await keyring.derive("x")).export().toString("hex")),
  );
  expect(new Set(derived).size).toBe(1);
});

test("after the master key was rotated the new one alone opens everything", async () => {
  const before = keyringWith(older);
  const envelope = await before.seal({ family: "secret", recordId: "1/a", plain: Buffer.from("text") });
  const derived = await before.derive("card verification keys");
  await before.warmUp();
  const [first, second] = [keyringWith(`${newer},${older}`), keyringWith(`${newer},${older}`)];
  const wrapped = await Promise.all([first.rotateMasterKey(), second.rotateMasterKey()]);
  expect(wrapped.reduce((sum, count) => sum + count)).toBe(everyFamily.length);
  expect(await first.rotateMasterKey()).toBe(0);
  expect(await storedKeys()).toEqual(everyFamily.map((family) => `${family}/1/newer`));
  const after = keyringWith(newer);
  expect((await after.open({ family: "secret", recordId: "1/a", envelope })).toString()).toBe("text");
  expect((await after.derive("card verification keys")).equals(derived)).toBe(true);
});

test("a master key that is missing, or is another one under the same id, is named in a clear error", async () => {
  await keyringWith(older).warmUp();
  await expect(keyringWith(newer).warmUp()).rejects.toThrow(
    'the data key pan/1 is wrapped by master key "older", which VAULT_MASTER_KEYS does not contain',
  );
  const impostor = newMasterKey("older");
  await expect(keyringWith(impostor).warmUp()).rejects.toThrow('master key "older" does not open the data key pan/1');
});

test("a failed read of the keys is tried again by the next call", async () => {
  await keyringWith(older).warmUp();
  await database.ownerPool.query("UPDATE vault.data_key SET master_key_id = 'gone' WHERE family = 'pan'");
  const keyring = keyringWith(older);
  const record = { family: "pan", recordId: "1/C1", plain: Buffer.from("x") } as const;
  await expect(keyring.seal(record)).rejects.toThrow("gone");
  await database.ownerPool.query("UPDATE vault.data_key SET master_key_id = 'older' WHERE family = 'pan'");
  await expect(keyring.seal(record)).resolves.toBeInstanceOf(Buffer);
});

test("after a data key was rotated new records use the new key and old ones still open, also in other processes", async () => {
  const time = { nowMs: clock.now() };
  const moved = { now: () => time.nowMs };
  const [one, other] = [keyringWith(older), keyringWith(older, moved)];
  const plain = Buffer.from("text");
  const record = { family: "pin", recordId: "1/C1" } as const;
  const old = await one.seal({ ...record, plain });
  await other.warmUp();
  expect(await one.rotateDataKey("pin")).toBe(2);
  const young = await one.seal({ ...record, plain });
  expect([old.readUInt32BE(1), young.readUInt32BE(1)]).toEqual([1, 2]);
  for (const keyring of [one, other, keyringWith(older)]) {
    expect((await keyring.open({ ...record, envelope: old })).toString()).toBe("text");
    expect((await keyring.open({ ...record, envelope: young })).toString()).toBe("text");
  }
});

test("another process encrypts with a rotated data key after five minutes at most", async () => {
  const time = { nowMs: clock.now() };
  const [one, other] = [keyringWith(older), keyringWith(older, { now: () => time.nowMs })];
  await other.warmUp();
  await one.rotateDataKey("pan");
  time.nowMs += 300_001;
  const envelope = await other.seal({ family: "pan", recordId: "1/C1", plain: Buffer.from("x") });
  expect(envelope.readUInt32BE(1)).toBe(2);
});

test("two rotations at once make keys that both stay usable", async () => {
  const [one, other] = [keyringWith(older), keyringWith(older)];
  await Promise.all([one.rotateDataKey("pan"), other.rotateDataKey("pan")]);
  const record = { family: "pan", recordId: "1/C1" } as const;
  const envelope = await one.seal({ ...record, plain: Buffer.from("x") });
  expect((await other.open({ ...record, envelope })).toString()).toBe("x");
});

test("derived keys are 32 bytes, differ by name and are the same in every process", async () => {
  const [one, other] = [keyringWith(older), keyringWith(older)];
  const names = Array.from({ length: 200 }, (_, number) => `name ${number}`);
  const ofOne = await Promise.all(names.map(async (name) => (await one.derive(name)).export().toString("hex")));
  const ofOther = await Promise.all(names.map(async (name) => (await other.derive(name)).export().toString("hex")));
  expect(ofOther).toEqual(ofOne);
  expect(new Set(ofOne).size).toBe(200);
  expect(ofOne.every((hex) => hex.length === 64)).toBe(true);
});
