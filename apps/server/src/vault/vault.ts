import type { Clock, Result } from "#kernel/index.ts";
import { apiSecrets } from "./api-secrets.ts";
import { createBoundedCache } from "./bounded-cache.ts";
import { clientKeys, webhookSecrets } from "./callback-secrets.ts";
import {
  type CardData,
  openCard,
  privateInfo,
  type Submitted,
  type SubmittedCvvReason,
  type SubmittedPinReason,
  setSubmittedPin,
  verifyCvv,
  verifyCvvOfPan,
  verifySubmittedCvv,
} from "./card-data.ts";
import type { Expiry } from "./cvv.ts";
import { createIdentify, identifyMany } from "./identify.ts";
import { type CardRequest, discardCard, type IssuedCard, type IssueReason, issueCard } from "./issue-card.ts";
import { createKeyring, type SealingFamily } from "./keyring.ts";
import { parseMasterKeys } from "./master-keys.ts";
import { type SetPinReason, setPin, type VerifyPinReason, verifyPin } from "./pin.ts";
import { createSecretStore, type SecretStore } from "./secret-store.ts";
import { type CardKey, type DataKey, listDataKeys, type Sql } from "./store.ts";

/** 100,000 cards at 200 bytes are 20 MB; a purchase with a remembered card costs no statement. */
const identitiesMax = 100_000;
/** A card never changes its owner; the age only bounds how long another process knows a discarded application's number. */
const identityAgeMsMax = 600_000;

/**
 * The only code that sees card numbers, CVVs, PINs and secrets at rest. Every argument and result is plain data that JSON can
 * carry and every method is asynchronous, so that the vault can become a process of its own. A record that was tampered
 * with, or a missing master key, throws; no error and no log has a secret in it.
 */
export interface Vault {
  /** Reads or makes all keys: call it at start, so that a missing master key stops the start. */
  readonly warmUp: () => Promise<void>;

  /** A number in the product's range, unique, with a check digit. Idempotent per `cardNo`. */
  readonly issueCard: (request: CardRequest) => Promise<Result<IssuedCard, IssueReason>>;
  /** For an application that failed. The number is never handed out again. No effect when there is nothing to discard. */
  readonly discardCard: (card: CardKey) => Promise<void>;

  /** Whose card it is: at most one statement, none when the card was seen lately. */
  readonly identify: (input: { pan: string }) => Promise<CardKey | null>;
  /** In the order of `pans`, at most 1,000; one statement. */
  readonly identifyMany: (input: { pans: readonly string[] }) => Promise<(CardKey | null)[]>;

  readonly verifyCvv: (input: CardKey & { cvv: string }) => Promise<Result<null, "card_unknown" | "cvv_mismatch">>;
  /** For the purchase path: derived from what the purchase brings, nothing is read. */
  readonly verifyCvvOfPan: (input: {
    pan: string;
    expiry: Expiry;
    cvv: string;
  }) => Promise<Result<null, "cvv_mismatch">>;
  /** Contract `card/active`. */
  readonly verifySubmittedCvv: (input: Submitted) => Promise<Result<null, SubmittedCvvReason>>;

  readonly setPin: (input: CardKey & { pin: string }) => Promise<Result<null, SetPinReason>>;
  /** Three wrong tries in a row, then `pin_tries_exceeded` until a new PIN is set; racing tries are counted exactly. */
  readonly verifyPin: (input: CardKey & { pin: string }) => Promise<Result<null, VerifyPinReason>>;
  /** Contract `card/pin/set`. */
  readonly setSubmittedPin: (input: Submitted) => Promise<Result<null, SubmittedPinReason>>;

  /** Contract `card/{card_no}/private/info`: the cipher text that is its `data`. */
  readonly privateInfo: (
    input: CardKey & { cardUniqueNo: string; secretId: string },
  ) => Promise<Result<string, "card_unknown" | "secret_unknown">>;
  /** Plain card data for the page inside our own origin (contract section 7). Nothing else may call it. */
  readonly revealForCardFrame: (card: CardKey) => Promise<Result<CardData, "card_unknown">>;
  /** Plain card data for the sandbox's network simulator, which plays the cardholder at a terminal. Nothing else may call it. */
  readonly revealForSandboxNetwork: (card: CardKey) => Promise<Result<CardData, "card_unknown">>;

  /** API secrets. Each must be 32 characters of `[A-Za-z0-9]`, as `createApiSecret` makes them. */
  readonly storeSecret: SecretStore["store"];
  /** For the room that signs callbacks; null when it does not exist or was deleted. */
  readonly readSecret: SecretStore["read"];
  /** At once in this process, within a minute in every other one. */
  readonly deleteSecret: SecretStore["delete"];
  /** As `createWebhookSecret` makes them. */
  readonly webhookSecrets: SecretStore;
  /** Private keys of client certificates, each under its certificate's id: PKCS #8 in PEM. */
  readonly clientKeys: SecretStore;

  /** A 32-byte key in Base64, always the same for the same name: to sign access tokens and the like. */
  readonly tokenKey: (name: string) => Promise<string>;

  /** What encrypts the records, and which master key wraps it. Needs none of the keys. */
  readonly dataKeys: () => Promise<DataKey[]>;
  /** Wraps all data keys under the first of the master keys; returns how many it wrapped anew. */
  readonly rotateMasterKey: () => Promise<number>;
  /** New records are encrypted under a new data key, old ones stay readable; returns the key's generation. */
  readonly rotateDataKey: (family: SealingFamily) => Promise<number>;
}

/**
 * `pool` must act as the role cardwright_vault; `masterKeys` is the value of `VAULT_MASTER_KEYS`. Throws one sentence when
 * that cannot be read.
 */
export function createVault(options: { pool: Sql; masterKeys: string; clock: Clock }): Vault {
  const { pool: sql, clock } = options;
  const keyring = createKeyring({ sql, clock, masterKeys: parseMasterKeys(options.masterKeys) });
  const identities = createBoundedCache<CardKey>({ clock, entriesMax: identitiesMax, ageMsMax: identityAgeMsMax });
  const secrets = createSecretStore({ sql, keyring, clock }, apiSecrets);
  const deps = { sql, clock, keyring, identities, secrets };
  const identify = createIdentify(deps);
  return {
    warmUp: () => keyring.warmUp(),
    issueCard: (request) => issueCard(deps, request),
    discardCard: (card) => discardCard(deps, card),
    identify: ({ pan }) => identify(pan),
    identifyMany: ({ pans }) => identifyMany(deps, pans),
    verifyCvv: (input) => verifyCvv(deps, input),
    verifyCvvOfPan: (input) => verifyCvvOfPan(deps, input),
    verifySubmittedCvv: (input) => verifySubmittedCvv(deps, input),
    setPin: (input) => setPin(deps, input),
    verifyPin: (input) => verifyPin(deps, input),
    setSubmittedPin: (input) => setSubmittedPin(deps, input),
    privateInfo: (input) => privateInfo(deps, input),
    revealForCardFrame: (card) => openCard(deps, card),
    revealForSandboxNetwork: (card) => openCard(deps, card),
    storeSecret: secrets.store,
    readSecret: secrets.read,
    deleteSecret: secrets.delete,
    webhookSecrets: createSecretStore({ sql, keyring, clock }, webhookSecrets),
    clientKeys: createSecretStore({ sql, keyring, clock }, clientKeys),
    tokenKey: async (name) => (await keyring.derive(`token ${name}`)).export().toString("base64"),
    dataKeys: () => listDataKeys(sql),
    rotateMasterKey: () => keyring.rotateMasterKey(),
    rotateDataKey: (family) => keyring.rotateDataKey(family),
  };
}
