import { expect, test } from "vitest";
import { constraintOf, databaseAddress, isCollision, isUnavailable, isUniqueViolation } from "./index.ts";

const withCode = (code: string): Error => Object.assign(new Error("any"), { code });

test.each(["ECONNREFUSED", "ECONNRESET", "57P01", "57P02", "57P03", "53300", "08006", "25006"])(
  "%s means that the database is away",
  (code) => {
    expect(isUnavailable(withCode(code))).toBe(true);
  },
);

test.each(["23505", "40001", "42601", "57014", "22P02"])("%s does not mean that the database is away", (code) => {
  expect(isUnavailable(withCode(code))).toBe(false);
});

test("a host whose every address refuses is away, one that fails in another way too is not", () => {
  expect(isUnavailable(new AggregateError([withCode("ECONNREFUSED"), withCode("EHOSTUNREACH")]))).toBe(true);
  expect(isUnavailable(new AggregateError([withCode("ECONNREFUSED"), new Error("bug")]))).toBe(false);
  expect(isUnavailable(new AggregateError([]))).toBe(false);
});

test("connections that pg itself gave up are away, other errors without a code and other values are not", () => {
  expect(isUnavailable(new Error("Connection terminated unexpectedly"))).toBe(true);
  expect(isUnavailable(new Error("timeout exceeded when trying to connect"))).toBe(true);
  expect(isUnavailable(new TypeError("x is not a function"))).toBe(false);
  expect(isUnavailable("ECONNREFUSED")).toBe(false);
  expect(isUnavailable(null)).toBe(false);
});

test("collisions are serialization failures and deadlocks, nothing else", () => {
  expect([withCode("40001"), withCode("40P01"), withCode("23505")].map(isCollision)).toEqual([true, true, false]);
});

test("a unique violation can be told apart by its constraint", () => {
  const error = Object.assign(withCode("23505"), { constraint: "card_unique_no" });
  expect(isUniqueViolation(error)).toBe(true);
  expect(isUniqueViolation(error, "card_unique_no")).toBe(true);
  expect(isUniqueViolation(error, "other")).toBe(false);
  expect(isUniqueViolation(withCode("23503"))).toBe(false);
  expect(constraintOf(error)).toBe("card_unique_no");
});

test("an address for messages holds neither user nor password nor parameters", () => {
  expect(databaseAddress("postgresql://user:secret@db.example:6432/cards?sslkey=k")).toBe("db.example:6432/cards");
  expect(databaseAddress("postgresql:///cards?host=/run/postgresql")).toBe("/run/postgresql:5432/cards");
  expect(databaseAddress("secret")).toBe("the given address");
});
