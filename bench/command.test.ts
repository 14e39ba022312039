import { expect, test } from "vitest";
import { readCommand } from "./command.ts";

const known = ["decision", "latency"];

test("without a name all benchmarks run, each as long as its own default", () => {
  expect(readCommand([], known)).toMatchObject({ ok: true, value: { names: known, seconds: null, json: false } });
});

test("names and options may stand in any order", () => {
  expect(readCommand(["--json", "latency", "--seconds", "5", "--hot"], known)).toMatchObject({
    ok: true,
    value: { names: ["latency"], seconds: 5, json: true, hot: true },
  });
});

test.each([[["speed"]], [["--seconds", "0"]], [["--seconds", "x"]], [["--rows", "1.5"]], [["--fast"]]])(
  "%j is refused with a sentence",
  (words) => {
    expect(readCommand(words, known)).toEqual({ ok: false, reason: expect.stringMatching(/.{10}/u) });
  },
);
