import { expect, test } from "vitest";
import { createTokenGuard } from "./token-guard.ts";

const adminToken = "test-admin-token-of-32-characters";
const right = `Bearer ${adminToken}`;

function guardAt(start: number) {
  let now = start;
  const guard = createTokenGuard({ adminToken, clock: { now: () => now } });
  return { guard, move: (ms: number) => (now += ms) };
}

test("a token of less than 24 characters is refused at the start", () => {
  const clock = { now: () => 0 };
  expect(() => createTokenGuard({ adminToken: "x".repeat(23), clock })).toThrow("at least 24 characters");
  expect(() => createTokenGuard({ adminToken: "", clock })).toThrow("at least 24 characters");
});

test("only the token itself is let in", () => {
  const { guard } = guardAt(0);
  expect(guard({ authorization: right, address: "::1" })).toEqual({ kind: "admitted", operator: "admin" });
  for (const authorization of [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    `${right}x`,
    right.slice(0, -1),
    `Token ${adminToken}`,
  ]) {
    expect(guard({ authorization, address: "::1" }).kind).toBe("wrong_token");
  }
});

test("after ten wrong tokens an address waits out the minute, with the right token too, and others do not", () => {
  const { guard, move } = guardAt(1_000_000);
  for (let attempt = 0; attempt < 10; attempt += 1) {
    expect(guard({ authorization: "Bearer wrong", address: "203.0.113.7" }).kind).toBe("wrong_token");
  }
  move(15_000);
  expect(guard({ authorization: right, address: "203.0.113.7" })).toEqual({
    kind: "too_many_attempts",
    retryAfterSeconds: 45,
  });
  expect(guard({ authorization: right, address: "203.0.113.8" }).kind).toBe("admitted");
  move(45_000);
  expect(guard({ authorization: right, address: "203.0.113.7" }).kind).toBe("admitted");
});

test("a clock that is set back does not lock anybody out", () => {
  const { guard, move } = guardAt(1_000_000);
  for (let attempt = 0; attempt < 10; attempt += 1) {
    guard({ authorization: "Bearer wrong", address: "::1" });
  }
  move(-500_000);
  expect(guard({ authorization: right, address: "::1" }).kind).toBe("admitted");
});

test("an operator with a token of its own is let in under its name, and nobody by a part of one", () => {
  const operators = [
    { name: "mia", token: "m".repeat(32) },
    { name: "jon", token: "j".repeat(32) },
  ];
  const guard = createTokenGuard({ adminToken, operators, clock: { now: () => 0 } });
  const nameOf = (token: string) => {
    const admitted = guard({ authorization: `Bearer ${token}`, address: "::1" });
    return admitted.kind === "admitted" ? admitted.operator : admitted.kind;
  };
  expect(["m".repeat(32), "j".repeat(32), adminToken].map(nameOf)).toEqual(["mia", "jon", "admin"]);
  expect(["m".repeat(31), "m".repeat(33), "mia", `mia:${"m".repeat(32)}`].map(nameOf)).toEqual(
    Array(4).fill("wrong_token"),
  );
});
