import fc from "fast-check";
import { expect, test } from "vitest";
import { readAnswer, readDecision } from "./answer.ts";

const decide = (text: string) => readDecision(Buffer.from(text));
const approvedAmountOf = (sent: string) => {
  const decision = decide(`{"code":0,"approved_amount":${sent}}`);
  return decision?.kind === "approved" ? decision.approvedAmount : "no approval";
};

test("code 0 approves, any other number declines, with a typed reason when it is a word", () => {
  expect(decide('{"code":0}')).toEqual({ kind: "approved", approvedAmount: null });
  expect(decide('{"code":0,"message":"","reason":"x","extra":[{"code":1}]}')).toMatchObject({ kind: "approved" });
  expect(decide('{"code":5100,"reason":"suspected_fraud"}')).toMatchObject({ code: 5100, reason: "suspected_fraud" });
  for (const reason of ['"two words"', '""', "5", "null", `"${"x".repeat(65)}"`, '{"a":1}']) {
    expect(decide(`{"code":1,"reason":${reason}}`)).toEqual({ kind: "declined", code: 1, reason: null });
  }
});

test.each(['{"code":"0"}', '{"code":null}', '{"code":true}', "{}", "[0]", "0", "null", "", "{", '{"code":NaN}'])(
  "%s is no answer",
  (text) => {
    expect(decide(text)).toBeNull();
    expect(readAnswer(Buffer.from(text))).toBeNull();
  },
);

test.each([
  ['"10.50"', "10.50"],
  ['"10"', "10.00"],
  ["10.5", "10.50"],
  ["10.500", "10.50"],
  ["1E+2", "100.00"],
  ["1.5e1", "15.00"],
  ["5e-2", "0.05"],
  ["0.01", "0.01"],
  // As JavaScript numbers these two would be others.
  ["123456789012345.67", "123456789012345.67"],
  ['"999999999999999.99"', "999999999999999.99"],
  ["null", null],
])("approved_amount %s is read as %s", (sent, amount) => {
  expect(approvedAmountOf(sent)).toBe(amount);
});

test.each([
  "0",
  "0.00",
  "-0",
  "-5",
  '"-5"',
  '"0"',
  '""',
  '" 5"',
  '"5 "',
  '"1e2"',
  '"1,000.00"',
  '"ten"',
  "10.505",
  '"10.505"',
  "1e-3",
  "1e99",
  "1e-99",
  "1e400",
  `1${"0".repeat(40)}`,
  "true",
  "[5]",
  '{"value":5}',
])("a yes with approved_amount %s is no answer at all", (sent) => {
  expect(approvedAmountOf(sent)).toBe("no approval");
});

test("beside a no, whatever approved_amount holds, the answer is a decline", () => {
  for (const sent of ["0", '"0.00"', '"?"', "{}"]) {
    expect(decide(`{"code":51,"approved_amount":${sent}}`)).toMatchObject({ kind: "declined", code: 51 });
  }
});

test("every amount comes back exactly, as a text and as a number of any spelling", () => {
  const cents = fc.bigInt({ min: 1n, max: 99_999_999_999_999_999n });
  fc.assert(
    fc.property(cents, fc.integer({ min: 1, max: 10 }), (amount, zeros) => {
      const digits = amount.toString().padStart(3, "0");
      const plain = `${digits.slice(0, -2)}.${digits.slice(-2)}`;
      expect(approvedAmountOf(`"${plain}"`)).toBe(plain);
      expect(approvedAmountOf(plain)).toBe(plain);
      expect(approvedAmountOf(`${amount}e-2`)).toBe(plain);
      expect(approvedAmountOf(`${amount}.${"0".repeat(zeros)}E-02`)).toBe(plain);
    }),
  );
});

test("16 KB of nesting around a numeric approved_amount end in an answer or none, never in a thrown error", () => {
  const deep = `${"[".repeat(8_000)}${"]".repeat(8_000)}`;
  expect(["10.00", "no approval"]).toContain(approvedAmountOf(`10,"x":${deep}`));
});
