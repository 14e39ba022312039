import { errorList } from "@cardwright/contract";
import { expect, test } from "vitest";
import { ApiError, apiErrorOf } from "./errors.ts";

const refused = { httpStatus: 200, requestId: "", retryAfterMs: null, call: "POST /x" };

test.each(errorList)("$code $name has a class of its own kind and its name", ({ code, name, en, zh, wording }) => {
  const error = apiErrorOf({ ...refused, code, msg: en });
  expect(error.constructor).not.toBe(ApiError);
  expect(error).toMatchObject({ code, reason: name, msg: en, field: "" });
  expect(error.name).toBe(error.constructor.name);
  for (const message of [en, zh]) {
    const ofField = apiErrorOf({ ...refused, code, msg: `address_info.city ${message}` });
    expect(ofField.field).toBe(wording === "field" ? "address_info.city" : "");
  }
});

test("a code that is not known yet is an ApiError with everything that came", () => {
  const error = apiErrorOf({ ...refused, code: 9999, msg: "brand new" });
  expect(error.constructor).toBe(ApiError);
  expect(error).toMatchObject({ code: 9999, reason: "unknown", message: "POST /x was refused: 9999 brand new" });
});
