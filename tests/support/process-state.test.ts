import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { processState, putBack } from "./process-state.ts";

test("what a test file has changed in its worker is named without its value, and put back", () => {
  process.env["CARDWRIGHT_TEST_CHANGED"] = "before";
  process.env["CARDWRIGHT_TEST_REMOVED"] = "removed-value";
  const before = processState();
  const onSignal = (): void => {};
  const onRejection = (): void => {};

  process.env["CARDWRIGHT_TEST_CHANGED"] = "changed-value";
  process.env["CARDWRIGHT_TEST_ADDED"] = "added-value";
  delete process.env["CARDWRIGHT_TEST_REMOVED"];
  process.chdir(tmpdir());
  process.on("SIGTERM", onSignal).once("unhandledRejection", onRejection);

  const left = putBack(before);
  expect(left.toSorted()).toEqual([
    "the environment variable CARDWRIGHT_TEST_ADDED",
    "the environment variable CARDWRIGHT_TEST_CHANGED",
    "the environment variable CARDWRIGHT_TEST_REMOVED",
    "the listeners of SIGTERM",
    "the listeners of unhandledRejection",
    "the working directory",
  ]);
  expect(processState()).toEqual(before);
  expect(putBack(before)).toEqual([]);
  delete process.env["CARDWRIGHT_TEST_CHANGED"];
  delete process.env["CARDWRIGHT_TEST_REMOVED"];
});
