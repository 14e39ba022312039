import {
  type ErrorName,
  errorByName,
  errorList,
  fieldMessage,
  isDeveloperError,
  messageOf,
} from "@cardwright/contract";
import { type ApiAnswer, encrypt } from "@cardwright/testing/api";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  activate,
  address,
  api,
  apply,
  applyCardholder,
  approved,
  authorization,
  cardBinNo,
  closeScene,
  credit,
  cvv,
  day,
  dearBin,
  disabled,
  lastFour,
  narrow,
  noPci,
  openCard,
  openScene,
  operator,
  other,
  packageNo,
  pending,
  physicalCard,
  poor,
  rejected,
  setPin,
  transfer,
  virtualCard,
  virtualOnly,
  wrongCvv,
} from "./error-scene.ts";

beforeAll(openScene);
afterAll(closeScene);

const seen = new Set<ErrorName>();

interface Case {
  readonly name: ErrorName;
  /** Where the message begins with a field. */
  readonly field?: string;
  readonly what: string;
  readonly provoke: () => Promise<ApiAnswer>;
}

const cases: readonly Case[] = [
  {
    name: "api_key_required",
    what: "without Api-Key",
    provoke: () => api.call({ path: "/open-api/v1/merchant/token" }),
  },
  {
    name: "ip_not_allowed",
    what: "from an address that is not listed",
    provoke: async () => {
      const credential = await api.newCredential(credit.merchant, { allowList: ["192.0.2.1"] });
      return api.call({ path: "/open-api/v1/merchant/token", headers: { "Api-Key": credential.apiKey } });
    },
  },
  {
    name: "invalid_parameter",
    field: "cardholder_no",
    what: "a missing field",
    provoke: () => transfer({ cardholder_no: undefined }),
  },
  {
    name: "timestamp_invalid",
    what: "a stale Timestamp",
    provoke: () => api.get(credit, "/card/C1/detail", { headers: { Timestamp: "1000000000000" } }),
  },
  {
    name: "access_token_required",
    what: "without Access-Token",
    provoke: () => api.get(credit, "/card/C1/detail", { headers: { "Access-Token": undefined } }),
  },
  {
    name: "access_token_invalid",
    what: "a token of nobody's",
    provoke: () => api.get(credit, "/card/C1/detail", { headers: { "Access-Token": "at_x" } }),
  },
  {
    name: "api_key_unknown",
    what: "a key of nobody's",
    provoke: () => api.get(credit, "/card/C1/detail", { headers: { "Api-Key": "ck_x" } }),
  },
  {
    name: "too_frequent",
    what: "more calls than the limit",
    provoke: async () => {
      await narrow.call({ path: "/open-api/v1/merchant/token" });
      return narrow.call({ path: "/open-api/v1/merchant/token" });
    },
  },
  {
    name: "api_key_disabled",
    what: "a disabled credential",
    provoke: async () => {
      const second = await api.newCredential(credit.merchant);
      const key = { merchantId: credit.merchant.merchantId, credentialId: second.credentialId };
      const change = { status: "Disabled" } as const;
      return disabled(() => api.rooms.merchants.updateCredential({ ...key, change }, operator), second);
    },
  },
  {
    name: "api_key_expired",
    what: "an expired credential",
    provoke: async () => {
      const second = await api.newCredential(credit.merchant);
      const key = { merchantId: credit.merchant.merchantId, credentialId: second.credentialId };
      const change = { expiresAt: api.clock.now() };
      return disabled(() => api.rooms.merchants.updateCredential({ ...key, change }, operator), second);
    },
  },
  {
    name: "mode_not_supported",
    what: "an endpoint of the other mode",
    provoke: () => api.post(credit, "/card/support/bins", {}),
  },
  {
    name: "mode_not_supported",
    what: "the other mode's product number",
    provoke: () => apply({ card_bin_no: cardBinNo }),
  },
  {
    name: "pci_not_enabled",
    what: "private info without PCI",
    provoke: () => api.get(noPci, `/card/${virtualCard}/private/info`),
  },
  {
    name: "pci_not_enabled",
    what: "a client token without PCI",
    provoke: () => api.get(noPci, `/merchant/client/${virtualCard}/token`),
  },
  {
    name: "end_not_after_start",
    what: "a period that ends before it starts",
    provoke: () => api.post(credit, "/card/list", { start_time: "2026-05-22", end_time: "2026-05-21" }),
  },
  {
    name: "range_too_long",
    what: "a period of 91 days",
    provoke: () => api.post(credit, "/card/list", { start_time: "2026-01-01", end_time: "2026-04-01" }),
  },
  {
    name: "merchant_unknown",
    what: "a closed merchant",
    provoke: async () => {
      const closed = await api.newMerchant("CREDIT_EXTENSION");
      const { merchantId } = closed.merchant;
      return disabled(() => api.rooms.merchants.update({ merchantId, change: { status: "Closed" } }, operator), closed);
    },
  },
  {
    name: "merchant_status_abnormal",
    what: "a disabled merchant",
    provoke: async () => {
      const off = await api.newMerchant("CREDIT_EXTENSION");
      const { merchantId } = off.merchant;
      return disabled(() => api.rooms.merchants.update({ merchantId, change: { status: "Disabled" } }, operator), off);
    },
  },
  {
    name: "cardholder_exists",
    what: "a taken unique number with another share token",
    provoke: () => applyCardholder({ cardholder_unique_no: "user-approved", sumsub_share_token: "approve-another" }),
  },
  {
    name: "cardholder_unknown",
    what: "a cardholder that is not there",
    provoke: () => api.get(credit, "/cardholder/U202605220001/info"),
  },
  {
    name: "cardholder_unknown",
    what: "an update of a cardholder that is not there",
    provoke: () =>
      applyCardholder({ cardholder_no: "U1", cardholder_unique_no: "user-new", sumsub_share_token: "approve-new" }),
  },
  {
    name: "cardholder_already_verified",
    what: "an update of an approved cardholder",
    provoke: () =>
      applyCardholder({
        cardholder_no: approved,
        cardholder_unique_no: "user-approved",
        sumsub_share_token: "approve-again",
      }),
  },
  {
    name: "verification_pending",
    what: "an update while the check runs",
    provoke: () =>
      applyCardholder({
        cardholder_no: pending,
        cardholder_unique_no: "user-pending",
        sumsub_share_token: "approve-again-2",
      }),
  },
  {
    name: "verification_failed",
    what: "applying again with the very share token that was rejected",
    provoke: () =>
      applyCardholder({
        cardholder_no: rejected,
        cardholder_unique_no: "user-rejected",
        sumsub_share_token: "reject-1",
      }),
  },
  {
    name: "kyc_unavailable",
    what: "the KYC service is down",
    provoke: () => applyCardholder({ cardholder_unique_no: "user-new", sumsub_share_token: "down-1" }),
  },
  {
    name: "kyc_unavailable",
    what: "the KYC service does not know the share token",
    provoke: () => applyCardholder({ cardholder_unique_no: "user-new", sumsub_share_token: "nonsense" }),
  },
  {
    name: "unique_no_differs",
    what: "an update with another unique number",
    provoke: () =>
      applyCardholder({
        cardholder_no: rejected,
        cardholder_unique_no: "user-differs",
        sumsub_share_token: "approve-again-3",
      }),
  },
  {
    name: "address_characters",
    field: "address_info.city",
    what: "an exclamation mark in the city",
    provoke: () => apply({ address_info: { ...address, city: "Oh!" } }),
  },
  {
    name: "english_only",
    field: "address_info.city",
    what: "a city in Chinese",
    provoke: () => apply({ address_info: { ...address, city: "北京" } }),
  },
  {
    name: "country_not_supported",
    field: "address_info.country",
    what: "a country where no card is issued",
    provoke: () => apply({ address_info: { ...address, country: "KP" } }),
  },
  {
    name: "country_not_supported",
    field: "address_info.country",
    what: "a country that does not exist",
    provoke: () => apply({ address_info: { ...address, country: "ZZ" } }),
  },
  {
    name: "postal_code_mismatch",
    field: "address_info.postal_code",
    what: "a British postal code in the United States",
    provoke: () => apply({ address_info: { ...address, postal_code: "SW1A 1AA" } }),
  },
  {
    name: "account_unknown",
    what: "the account of a cardholder that is not approved yet",
    provoke: () => api.get(credit, `/account/${pending}/info`),
  },
  { name: "account_unknown", what: "credit for it", provoke: () => transfer({ cardholder_no: pending }) },
  {
    name: "balance_too_low",
    what: "taking back more than there is",
    provoke: () => transfer({ type: "Out", balance: "0.01" }),
  },
  {
    name: "balance_too_low",
    what: "a card that the cardholder cannot pay",
    provoke: () => apply({ package_no: virtualOnly }),
  },
  {
    name: "amount_invalid",
    field: "balance",
    what: "three decimals",
    provoke: () => transfer({ balance: "1.001" }),
  },
  {
    name: "transfer_unique_no_reused",
    what: "a used number with another amount",
    provoke: async () => {
      await transfer({ transfer_unique_no: "used" });
      return transfer({ transfer_unique_no: "used", balance: "2" });
    },
  },
  {
    name: "reserve_too_low",
    what: "a card whose BIN costs more than the reserve has",
    provoke: async () => {
      const cardholderNo = await api.approvedCardholder(poor);
      return apply({ card_bin_no: dearBin, cardholder_no: cardholderNo }, poor);
    },
  },
  {
    name: "transfer_type_unknown",
    field: "type",
    what: "neither In nor Out",
    provoke: () => transfer({ type: "Sideways" }),
  },
  {
    name: "transfer_unknown",
    what: "the transfers with a number that is not there",
    provoke: () => api.post(credit, "/account/transfer/list", { ...day, transfer_no: "T202605220001" }),
  },
  { name: "card_unknown", what: "a card that is not there", provoke: () => api.get(credit, "/card/C1/detail") },
  {
    name: "package_unknown",
    what: "a package that is off",
    provoke: async () => {
      const off = await api.newPackage(cardBinNo);
      await api.rooms.products.updatePackage({ packageNo: off, change: { status: "Off" } }, operator);
      return apply({ package_no: off });
    },
  },
  {
    name: "package_unknown",
    what: "a BIN's number in the place of a package's",
    provoke: () => apply({ package_no: cardBinNo }),
  },
  {
    name: "bin_unknown",
    what: "a BIN that is not there",
    provoke: () => apply({ card_bin_no: "B1", cardholder_no: "U1" }, authorization),
  },
  {
    name: "bin_unknown",
    what: "a package's number in the place of a BIN's",
    provoke: () => apply({ card_bin_no: packageNo }, authorization),
  },
  {
    name: "card_unique_no_reused",
    what: "a used number with another type",
    provoke: () => apply({ card_unique_no: "virtual-1", card_type: "Physical", address_info: address }),
  },
  { name: "card_not_activated", what: "a PIN before activation", provoke: () => setPin({}) },
  {
    name: "card_type_not_offered",
    what: "a physical card of a virtual package",
    provoke: () => apply({ package_no: virtualOnly, card_type: "Physical", address_info: address }),
  },
  {
    name: "address_required",
    field: "address_info",
    what: "a physical card without address",
    provoke: () => apply({ card_type: "Physical" }),
  },
  { name: "cvv_mismatch", what: "a wrong CVV", provoke: () => activate({ cvv: wrongCvv() }) },
  {
    name: "cvv_mismatch",
    what: "a CVV of four digits",
    provoke: () => activate({ cvv: encrypt(credit, "1234") }),
  },
  {
    name: "last_four_mismatch",
    what: "wrong last four digits",
    provoke: () => activate({ card_last_no: lastFour === "0000" ? "0001" : "0000" }),
  },
  { name: "wrong_type", field: "balance", what: "a number for a text", provoke: () => transfer({ balance: 1 }) },
  {
    name: "status_change_not_allowed",
    what: "unfreezing what was never activated",
    provoke: () => api.post(credit, "/card/status/update", { card_no: physicalCard, status: "Frozen" }),
  },
  {
    name: "card_of_other_cardholder",
    what: "another cardholder's card",
    provoke: () => activate({ cardholder_no: other }),
  },
  {
    name: "consumption_unknown",
    what: "a consumption that is not there",
    provoke: () => api.get(credit, "/card/consume/O1/info"),
  },
  { name: "cannot_be_decrypted", what: "a CVV in plain", provoke: () => activate({ cvv }) },
  { name: "cannot_be_decrypted", what: "an empty cipher text", provoke: () => activate({ cvv: "AAAA" }) },
  {
    name: "not_for_virtual",
    what: "activating a virtual card",
    provoke: () => activate({ card_no: virtualCard }),
  },
  { name: "not_for_virtual", what: "a virtual card's PIN", provoke: () => setPin({ card_no: virtualCard }) },
  {
    name: "cardholder_not_approved",
    what: "a card for a rejected cardholder",
    provoke: () => apply({ cardholder_no: rejected }),
  },
  {
    name: "card_limit_reached",
    what: "one card more than the product permits",
    provoke: async () => {
      await transfer({ transfer_unique_no: "for-cards", balance: "10" });
      await openCard({ package_no: virtualOnly, card_unique_no: "only-one" });
      return apply({ package_no: virtualOnly });
    },
  },
  {
    name: "too_many_tries",
    what: "the right CVV after five wrong tries",
    provoke: async () => {
      // Some wrong tries were made above; the lock falls with the fifth in a row.
      for (let tries = 0; tries < 5; tries += 1) await activate({ cvv: wrongCvv() });
      return activate({});
    },
  },
  {
    name: "pin_format",
    what: "a PIN with three digits in a row",
    provoke: async () => {
      api.clock.advance(30 * 60_000);
      const activated = await activate({});
      if (activated.code !== 0) throw new Error(`card/active answered ${activated.text}`);
      return setPin({ pin: encrypt(credit, "123756") });
    },
  },
  {
    name: "system_error",
    what: "a bug or a broken database",
    provoke: async () => {
      await api.db.ownerPool.query("ALTER TABLE consumption RENAME TO consumption_hidden");
      try {
        return await api.get(credit, "/card/consume/O202605220001/info");
      } finally {
        await api.db.ownerPool.query("ALTER TABLE consumption_hidden RENAME TO consumption");
      }
    },
  },
];

test.each(cases.map((each) => [errorByName(each.name).code, each.what, each] as const))(
  "%i is answered to %s",
  async (code, _what, { name, field, provoke }) => {
    const answer = await provoke();
    const language = "en_US";
    const msg = field === undefined ? messageOf(name, language) : fieldMessage({ field, name, language });
    // The whole text: no `data`, and nothing else either.
    expect(answer.text).toBe(JSON.stringify({ code, msg }));
    expect(answer.status).toBe(200);
    seen.add(name);
  },
);

/** The page that shows card data is their only place (contract section 7). */
const ofTheCardFrame = new Set([1014, 1015, 1016, 1017, 1018]);

test("every code of the contract was seen, but for those of the card frame and of the developer API", () => {
  const here = errorList.filter(({ code, name }) => !ofTheCardFrame.has(code) && !isDeveloperError(name));
  const missing = here.filter(({ name }) => !seen.has(name));
  expect(missing.map(({ code, name }) => `${code} ${name}`)).toEqual([]);
});
