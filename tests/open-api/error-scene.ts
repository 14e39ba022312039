import {
  type ApiAnswer,
  encrypt,
  generousLimits,
  startApi,
  type TestApi,
  type TestCredential,
  textAt,
} from "@cardwright/testing/api";

export let api: TestApi;
/** A second server with room for one call, on its own database. */
export let narrow: TestApi;
export let credit: TestCredential;
export let authorization: TestCredential;
export let poor: TestCredential;
export let noPci: TestCredential;
export let approved: string;
export let other: string;
export let pending: string;
export let rejected: string;
export let packageNo: string;
export let cardBinNo: string;
export let virtualOnly: string;
export let dearBin: string;
export let virtualCard: string;
export let physicalCard: string;
export let cvv: string;
export let lastFour: string;

export const day = { start_time: "2026-05-22", end_time: "2026-05-22" };
export const operator = { actor: "operator" };

/** Two merchants, cardholders in every status, cards and products: what a call needs to be refused for one reason only. */
export async function openScene(): Promise<void> {
  api = await startApi();
  narrow = await startApi({ limits: { ...generousLimits, addressBurst: 1, addressPerSecond: 0.001 } });
  credit = await api.newMerchant("CREDIT_EXTENSION");
  authorization = await api.newMerchant("AUTHORIZATION");
  poor = await api.newMerchant("AUTHORIZATION");
  noPci = await api.newMerchant("CREDIT_EXTENSION", { pciEnabled: false });
  cardBinNo = await api.newBin();
  dearBin = await api.newBin({ rates: { open_cost: "1" } });
  packageNo = await api.newPackage(cardBinNo, { rates: {} });
  virtualOnly = await api.newPackage(cardBinNo, { supportPhysical: false, cardsPerCardholderMax: 1 });
  approved = await api.approvedCardholder(credit, "user-approved");
  other = await api.approvedCardholder(credit, "user-other");
  pending = await api.cardholder(credit, "pending", "user-pending");
  const application = { cardholder_unique_no: "user-rejected", sumsub_share_token: "reject-1" };
  rejected = textAt((await api.post(credit, "/cardholder/apply", application)).data, "cardholder_no");
  await api.cardholderBecomes(credit, rejected, "Rejected");
  virtualCard = await openCard({ card_unique_no: "virtual-1" });
  physicalCard = await openCard({ card_unique_no: "physical-1", card_type: "Physical", address_info: address });
  await api.rooms.cards.advanceMaking();
  await api.rooms.cards.advanceMaking();
  const key = { merchantId: credit.merchant.merchantId, cardNo: physicalCard };
  const revealed = await api.rooms.vault.revealForCardFrame(key);
  if (!revealed.ok) throw new Error("the vault does not know the card");
  ({ cvv } = revealed.value);
  lastFour = revealed.value.pan.slice(-4);
}

export async function closeScene(): Promise<void> {
  await api.close();
  await narrow.close();
}

export const address = {
  first_name: "Jane",
  last_name: "Miller",
  phone_code: "1",
  phone: "2025550100",
  postal_code: "20001",
  country: "US",
  state: "DC",
  city: "Washington",
  address_line1: "1 Example Avenue",
};

export function apply(changes: object, credential = credit): Promise<ApiAnswer> {
  const own = credential.merchant.mode === "AUTHORIZATION" ? { card_bin_no: cardBinNo } : { package_no: packageNo };
  return api.post(credential, "/card/apply", {
    ...own,
    cardholder_no: approved,
    card_unique_no: "card-refused",
    card_type: "Virtual",
    ...changes,
  });
}

export async function openCard(changes: object): Promise<string> {
  const applied = await apply(changes);
  if (applied.code !== 0) throw new Error(`card/apply answered ${applied.text} ${api.logLines.at(-1)}`);
  return textAt(applied.data, "card_no");
}

export const applyCardholder = (body: object) => api.post(credit, "/cardholder/apply", body);
export const transfer = (changes: object, credential = credit) =>
  api.post(credential, "/account/transfer", {
    cardholder_no: approved,
    transfer_unique_no: "transfer-refused",
    type: "In",
    balance: "1",
    ...changes,
  });
export const activate = (changes: object) =>
  api.post(credit, "/card/active", {
    cardholder_no: approved,
    card_no: physicalCard,
    cvv: encrypt(credit, cvv),
    card_last_no: lastFour,
    ...changes,
  });
export const setPin = (changes: object) =>
  api.post(credit, "/card/pin/set", {
    card_no: physicalCard,
    cardholder_no: approved,
    pin: encrypt(credit, "193756"),
    ...changes,
  });
export const wrongCvv = () => encrypt(credit, cvv === "123" ? "124" : "123");

export async function disabled(change: () => Promise<unknown>, credential: TestCredential): Promise<ApiAnswer> {
  await api.tokenOf(credential);
  await change();
  return api.post(credential, "/card/list", day);
}
