import { expect, test } from "vitest";
import { ConfigError, describeConfig, readConfig } from "./config.ts";

const whole = {
  DATABASE_URL: "postgres://someone:hidden@127.0.0.1/cards",
  VAULT_MASTER_KEYS: "k1:hidden",
  ADMIN_TOKEN: "hidden-hidden-hidden-hidden",
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
