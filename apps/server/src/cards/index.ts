import type { Sql } from "#database/index.ts";
import type { Result } from "#kernel/index.ts";
import { cards as bounds } from "../limits.ts";
import { type Activation, type ActivationRefusal, activateCard } from "./activate.ts";
import {
  type AcceptedCard,
  type ApplyCardDeps,
  type ApplyCardRefusal,
  applyForCard,
  type CardApplication,
} from "./apply.ts";
import type { Card, CardKey } from "./card.ts";
import { advanceMaking, type MakingDeps } from "./making.ts";
import type { CardMaker } from "./ports.ts";
import {
  createClientToken,
  type PinRefusal,
  privateInfo,
  redeemClientToken,
  type SecretsDeps,
  setPin,
} from "./secrets.ts";
import { requestStatus, type StatusRefusal } from "./status.ts";
import { type CardFilter, deleteOldClientTokens, selectCard, selectCards, selectCardsOfCardholder } from "./store.ts";

export type { Activation, ActivationRefusal } from "./activate.ts";
export type { CardAddress } from "./address.ts";
export type { AcceptedCard, ApplyCardRefusal, CardApplication } from "./apply.ts";
export type { Card, CardKey } from "./card.ts";
export type { CardMaker, CardVault, MakingState } from "./ports.ts";
export type { PinRefusal } from "./secrets.ts";
export { changeStatus, type StatusChange, type StatusRefusal } from "./status.ts";
export { type CardFilter, enqueueCallback } from "./store.ts";

export interface CardsDeps extends Omit<ApplyCardDeps, "cardholderOf"> {
  readonly cardholderOf: ApplyCardDeps["cardholderOf"];
  readonly maker: CardMaker;
  readonly openingCostOf: MakingDeps["openingCostOf"];
}

/** Cards from application to deletion. Reasons are the names of the contract's errors. */
export interface Cards {
  apply(application: CardApplication): Promise<Result<AcceptedCard, ApplyCardRefusal>>;
  find(key: CardKey, sql?: Sql): Promise<Card | null>;
  list(filter: CardFilter): Promise<Card[]>;
  /** The cards that were issued to a cardholder, newest first. */
  ofCardholder(key: { readonly merchantId: number; readonly cardholderNo: string }): Promise<Card[]>;
  activate(activation: Activation): Promise<Result<null, ActivationRefusal>>;
  requestStatus(request: Parameters<typeof requestStatus>[1]): Promise<Result<null, StatusRefusal>>;
  setPin(request: Parameters<typeof setPin>[1]): Promise<Result<null, PinRefusal>>;
  privateInfo(request: Parameters<typeof privateInfo>[1]): ReturnType<typeof privateInfo>;
  createClientToken(key: CardKey): ReturnType<typeof createClientToken>;
  redeemClientToken(token: string): Promise<CardKey | null>;
  /** One round of the worker; answers how many cards moved on. */
  advanceMaking(): Promise<number>;
  /** Removes tokens that nobody took; for the worker. */
  removeOldTokens(): Promise<number>;
}

export function createCards(deps: CardsDeps): Cards {
  const cardholderExists = async (key: Parameters<CardsDeps["cardholderOf"]>[0]) =>
    (await deps.cardholderOf(key)) !== null;
  const secrets: SecretsDeps = { ...deps, cardholderExists };
  return {
    apply: (application) => applyForCard(deps, application),
    find: (key, sql = deps.pool) => selectCard(sql, key),
    list: (filter) => selectCards(deps.pool, filter),
    ofCardholder: (key) => selectCardsOfCardholder(deps.pool, { ...key, limit: bounds.perCardholderShownMax }),
    activate: (activation) => activateCard(secrets, activation),
    requestStatus: (request) => requestStatus(deps, request),
    setPin: (request) => setPin(secrets, request),
    privateInfo: (request) => privateInfo(secrets, request),
    createClientToken: (key) => createClientToken(secrets, key),
    redeemClientToken: (token) => redeemClientToken(secrets, token),
    advanceMaking: () => advanceMaking(deps),
    removeOldTokens: () => deleteOldClientTokens(deps.pool, { now: deps.clock.now(), limit: bounds.oldTokensBatchMax }),
  };
}
