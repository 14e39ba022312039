import { expect, test } from "vitest";
import { ConfigError, describeConfig, readConfig } from "./config.ts";

const whole = {
  DATABASE_URL: "postgres://someone:hidden@127.0.0.1/cards",
  VAULT_MASTER_KEYS: "k1:hidden",
  ADMIN_TOKEN: "hidden-hidden-hidden-hidden",
  OPERATORS: `mia:hidden-${"m".repeat(32)}, jon:hidden-${"j".repeat(32)}`,
  NETWORK_TOKEN: "hidden-hidden-hidden-hidden",
  SUMSUB_URL: "https://kyc.example",
  SUMSUB_APP_TOKEN: "hidden",
  SUMSUB_SECRET: "hidden",
  SUMSUB_WEBHOOK_SECRET: "hidden",
};

test("defaults are safe: production, all roles, loopback", () => {
  const config = readConfig(whole);
  expect([config.CARDWRIGHT_ENV, config.CARDWRIGHT_ROLE, config.HTTP_HOST]).toEqual(["production", "all", "127.0.0.1"]);
});

test("every wrong setting is named in one sentence, without its value", () => {
  const wrong = { ...whole, ADMIN_TOKEN: "too-short-secret", API_PORT: "70000", NETWORK_TOKEN: undefined };
  expect(() => readConfig(wrong)).toThrow(ConfigError);
  expect(() => readConfig(wrong)).toThrow(/API_PORT is wrong .*ADMIN_TOKEN is wrong .*NETWORK_TOKEN is not set/u);
  expect(() => readConfig(wrong)).not.toThrow(/too-short-secret/u);
});

test("production does not start without a KYC provider over https", () => {
  expect(() => readConfig({ ...whole, SUMSUB_URL: undefined })).toThrow(/SUMSUB_URL is not set/u);
  expect(() => readConfig({ ...whole, SUMSUB_URL: "http://kyc.example" })).toThrow(/production needs an https URL/u);
  expect(readConfig({ ...whole, SUMSUB_URL: undefined, CARDWRIGHT_ENV: "sandbox" }).SUMSUB_URL).toBe("");
});

test("printing the settings shows no secret", () => {
  expect(JSON.stringify(describeConfig(readConfig(whole)))).not.toContain("hidden");
});

test("the settings cannot be changed after the start", () => {
  const config = readConfig(whole);
  expect(() => Object.assign(config, { CARDWRIGHT_ENV: "sandbox" })).toThrow(TypeError);
});

test("operators are people with a name and a long token of their own", () => {
  expect(readConfig(whole).OPERATORS.map(({ name }) => name)).toEqual(["mia", "jon"]);
  expect(readConfig({ ...whole, OPERATORS: undefined }).OPERATORS).toEqual([]);
  const token = "t".repeat(32);
  for (const [wrong, why] of [
    [`mia:${token.slice(1)}`, /each token of at least 32/u],
    [`Mia Miller:${token}`, /name:token/u],
    [token, /name:token/u],
    [`admin:${token}`, /belongs to ADMIN_TOKEN/u],
    [`mia:${token},mia:${token}x`, /there once/u],
    [`mia:${token},jon:${token}`, /there once/u],
  ] as const) {
    expect(() => readConfig({ ...whole, OPERATORS: wrong })).toThrow(why);
    expect(() => readConfig({ ...whole, OPERATORS: wrong })).not.toThrow(new RegExp(token.slice(1), "u"));
  }
  expect(() => readConfig({ ...whole, ADMIN_TOKEN: token, OPERATORS: `mia:${token}` })).toThrow(
    /token of ADMIN_TOKEN/u,
  );
});
