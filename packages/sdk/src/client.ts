import { type Callbacks, createCallbacks } from "./callbacks/index.ts";
import { CardwrightError } from "./errors.ts";
import { type CallOptions, type CardwrightOptions, settingsOf } from "./options.ts";
import { type Accounts, createAccounts } from "./resources/accounts.ts";
import { type Cardholders, createCardholders } from "./resources/cardholders.ts";
import { type Cards, createCards } from "./resources/cards.ts";
import { type Consumptions, createConsumptions } from "./resources/consumptions.ts";
import { createDeveloper, type Developer } from "./resources/developer.ts";
import { createProducts, type Products } from "./resources/products.ts";
import { createSandbox, type Sandbox } from "./resources/sandbox.ts";
import { createTransport, type Transport } from "./transport.ts";

/**
 * A merchant's client of the platform. One for each credential, for as long as the process lives: it keeps the Access-Token and
 * what it has learned of the platform's clock. Every call throws `ApiError` and its kinds where the platform refuses,
 * `ConnectionError` and `TimeoutError` where no answer came.
 */
export class Cardwright {
  readonly cardholders: Cardholders;
  readonly cards: Cards;
  readonly accounts: Accounts;
  readonly products: Products;
  readonly consumptions: Consumptions;
  readonly developer: Developer;
  readonly sandbox: Sandbox;
  /** Where the platform is. */
  readonly baseUrl: string;
  readonly #transport: Transport;
  readonly #callbacks: () => Callbacks;

  /** Throws a TypeError or RangeError for options that cannot work. */
  constructor(options: CardwrightOptions) {
    const settings = settingsOf(options);
    const transport = createTransport(settings);
    const { apiSecret, appId, webhookSecrets, now } = options;
    this.baseUrl = settings.baseUrl;
    this.cardholders = createCardholders(transport);
    this.cards = createCards(transport, apiSecret);
    this.accounts = createAccounts(transport);
    this.products = createProducts(transport);
    this.consumptions = createConsumptions(transport);
    this.developer = createDeveloper(transport);
    this.sandbox = createSandbox(transport);
    this.#transport = transport;
    let callbacks: Callbacks | undefined;
    this.#callbacks = () => {
      const hasKeys = (appId !== undefined && apiSecret !== undefined) || (webhookSecrets?.length ?? 0) > 0;
      if (!hasKeys) throw new CardwrightError("callbacks need the client's appId and apiSecret, or webhookSecrets");
      callbacks ??= createCallbacks({
        appId: apiSecret === undefined ? undefined : appId,
        apiSecret: appId === undefined ? undefined : apiSecret,
        webhookSecrets,
        now,
      });
      return callbacks;
    };
  }

  /** The platform's calls to the merchant. Throws a CardwrightError when the client has nothing to verify them with. */
  get callbacks(): Callbacks {
    return this.#callbacks();
  }

  /** The present Access-Token, fetched when there is none; the client sends it by itself. */
  accessToken(options?: CallOptions): Promise<string> {
    return this.#transport.accessToken(options);
  }

  /** What logs may show. */
  toJSON(): { readonly baseUrl: string } {
    return { baseUrl: this.baseUrl };
  }
}
