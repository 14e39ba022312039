import { expect, test } from "vitest";
import { developerEndpoints } from "./developer.ts";
import { endpoints, errorsOf } from "./endpoints.ts";
import {
  codeOf,
  errorByCode,
  errorByName,
  errorList,
  fieldMessage,
  isDeveloperError,
  languageOf,
  messageOf,
} from "./errors.ts";

const FIXED = [
  ...Array.from({ length: 22 }, (_, index) => 1001 + index),
  ...Array.from({ length: 11 }, (_, index) => 2001 + index),
  4005,
  4010,
  4016,
  4017,
];
const OURS = [3001, 3002, 3003, 3004, 3005, 3006, 3007, 4001, 4002, 4003, 4004, 4006, 4007, 4008, 4009, 4011];
const OURS_LATER = [4012, 4013, 4014, 4015, 4018, 4019];

const DEVELOPER = [6001, 6002, 6003];

test("every code of section 5 and of the developer API exists exactly once and no other does", () => {
  const codes = errorList.map(({ code }) => code);
  expect(codes).toEqual([...[...FIXED, ...OURS, ...OURS_LATER].sort((a, b) => a - b), ...DEVELOPER]);
});

test("every error has a message in both languages, an explanation and a remedy", () => {
  for (const error of errorList) {
    expect(error.en).toMatch(/^[\x20-\x7e]+$/);
    expect(error.zh).toMatch(/[\u4e00-\u9fff]/);
    expect(error.explanation).toMatch(/\.$/);
    expect(error.remedy).toMatch(/\.$/);
  }
});

test("names are snake_case and lead to their code and back", () => {
  for (const { name, code } of errorList) {
    expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(codeOf(name)).toBe(code);
    expect(errorByCode(code)).toEqual(errorByName(name));
  }
  expect(errorByCode(0)).toBeUndefined();
});

test("the messages that the public contract quotes are word for word the same", () => {
  expect(messageOf("success", "en_US")).toBe("Success");
  expect(messageOf("success", "zh_CN")).toBe("成功");
  expect(messageOf("ip_not_allowed", "en_US")).toBe("IP address not allowed");
  const message = (field: string, name: "invalid_parameter" | "english_only"): string =>
    fieldMessage({ field, name, language: "en_US" });
  expect(message("cardholder_no", "invalid_parameter")).toBe("cardholder_no invalid parameter");
  expect(message("city", "english_only")).toBe("city only supports English input");
  expect(message("address_info.city", "invalid_parameter")).toBe("address_info.city invalid parameter");
});

test("a Chinese field message still names the field as it is on the wire", () => {
  expect(fieldMessage({ field: "page", name: "wrong_type", language: "zh_CN" })).toBe("page 参数类型错误");
});

test("an error about the whole call is not prefixed with a field", () => {
  expect(fieldMessage({ field: "end_time", name: "range_too_long", language: "en_US" })).toBe("time range too long");
});

test("only zh_CN is answered in Chinese", () => {
  expect(languageOf("zh_CN")).toBe("zh_CN");
  for (const header of [undefined, "", "en_US", "zh", "zh-CN", "fr_FR"]) expect(languageOf(header)).toBe("en_US");
});

test("every code is answered by an endpoint, or belongs to the card frame, or names a thing no endpoint looks up", () => {
  const answered = new Set([...endpoints, ...developerEndpoints].flatMap((endpoint) => errorsOf(endpoint)));
  const others = errorList.filter(({ name }) => !answered.has(name)).map(({ code }) => code);
  expect(others).toEqual([1014, 1015, 1016, 1017, 1018]);
});

test("the codes of the developer API are answered by it alone", () => {
  const ofOpenApi = new Set(endpoints.flatMap((endpoint) => errorsOf(endpoint)));
  const own = errorList.filter(({ name }) => isDeveloperError(name));
  expect(own.map(({ code }) => code)).toEqual(DEVELOPER);
  expect(own.filter(({ name }) => ofOpenApi.has(name))).toEqual([]);
});
