import { randomBytes, randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createAccessTokens } from "./access-token.ts";

function stage() {
  let now = Date.UTC(2026, 4, 22);
  let failures = 0;
  const key = randomBytes(32).toString("base64");
  const tokenKey = async () => {
    if (failures > 0) {
      failures -= 1;
      throw new Error("the vault is away");
    }
    return key;
  };
  const tokens = createAccessTokens({ clock: { now: () => now }, vault: { tokenKey } });
  return { tokens, move: (ms: number) => void (now += ms), failOnce: () => void (failures = 1), now: () => now };
}

const owner = { credentialId: randomUUID(), generation: 3 };

test("a token is good for its owner and generation until it expires", async () => {
  const { tokens, move, now } = stage();
  const { token, expiresAt } = await tokens.issue(owner);
  expect(expiresAt).toBe(now() + 86_400_000);
  expect(await tokens.accepts(owner, token)).toBe(true);
  expect(await tokens.accepts({ ...owner, generation: 2 }, token)).toBe(false);
  expect(await tokens.accepts({ ...owner, generation: 4 }, token)).toBe(false);
  expect(await tokens.accepts({ ...owner, credentialId: randomUUID() }, token)).toBe(false);
  move(86_399_999);
  expect(await tokens.accepts(owner, token)).toBe(true);
  move(1);
  expect(await tokens.accepts(owner, token)).toBe(false);
});

test("two tokens of one owner in one millisecond differ", async () => {
  const { tokens } = stage();
  expect((await tokens.issue(owner)).token).not.toBe((await tokens.issue(owner)).token);
});

test("another key makes other tokens", async () => {
  const { token } = await stage().tokens.issue(owner);
  expect(await stage().tokens.accepts(owner, token)).toBe(false);
});

test("no other text is a token", async () => {
  const { tokens } = stage();
  const { token } = await tokens.issue(owner);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.base64String().map((text) => `at_${text}`),
      ),
      async (text) => {
        expect(await tokens.accepts(owner, text)).toBe(false);
      },
    ),
  );
  // The last character carries four bits that mean nothing: only one spelling of them is accepted.
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const accepted = [];
  for (const last of alphabet) accepted.push(await tokens.accepts(owner, token.slice(0, -1) + last));
  expect(accepted.filter(Boolean)).toHaveLength(1);
});

test("a vault that was away once is asked again", async () => {
  const { tokens, failOnce } = stage();
  failOnce();
  await expect(tokens.issue(owner)).rejects.toThrow("the vault is away");
  const { token } = await tokens.issue(owner);
  expect(await tokens.accepts(owner, token)).toBe(true);
});
