import { expect, test } from "vitest";
import type { Weight } from "./check.ts";
import { gradeOf, grades, isAtLeast } from "./grade.ts";
import type { CheckResult, SkipReason } from "./report.ts";

function result(over: {
  readonly weight?: Weight;
  readonly ok: boolean | null;
  readonly skipped?: SkipReason;
}): CheckResult {
  const texts = { id: "group.name", title: "", proves: "", saw: "", mend: "" };
  return { ...texts, group: "text", weight: "contract", skipped: null, tookMs: 1, ...over };
}

test("a run without a failure has grade A, whatever was left out by choice or by mode", () => {
  const skipped = (["mode", "choice", "nothing_to_judge"] as const).map((reason) =>
    result({ ok: null, skipped: reason }),
  );
  expect(gradeOf([result({ ok: true }), ...skipped])).toBe("A");
});

test.each([
  ["minor", "B"],
  ["contract", "C"],
  ["money", "D"],
  ["security", "D"],
  ["vital", "F"],
] as const)("one failure of the weight %s leaves grade %s at best", (weight, grade) => {
  expect(gradeOf([result({ ok: true }), result({ weight, ok: false })])).toBe(grade);
});

test("two minor failures are a B, three a C, and the worst failure decides", () => {
  const minor = result({ weight: "minor", ok: false });
  expect(gradeOf([minor, minor])).toBe("B");
  expect(gradeOf([minor, minor, minor])).toBe("C");
  expect(gradeOf([minor, result({ weight: "vital", ok: false }), result({ weight: "money", ok: false })])).toBe("F");
});

test.each(["time", "busy"] as const)("what was not looked at (%s) is not taken for good", (skipped) => {
  expect(gradeOf([result({ ok: true }), result({ ok: null, skipped })])).toBe("B");
});

test("a grade is at least itself and every worse one, and no better one", () => {
  expect(grades.filter((least) => isAtLeast("C", least))).toEqual(["C", "D", "F"]);
});
