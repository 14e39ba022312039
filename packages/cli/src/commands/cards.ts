import { type Command, command } from "../command/command.ts";
import { CommandFailed, wrongUsage } from "../exit-codes.ts";
import { addressFlags, addressOf } from "./address.ts";
import { limitFlags, pageSizeFor, periodFlags, periodIn, showList } from "./listing.ts";
import { showObject, timeIn } from "./showing.ts";

const cardNo = { about: "number of the card (C…), not the one that is printed on it" } as const;

const apply = command({
  name: "cards apply",
  endpoint: "card.apply",
  summary: "Apply for a card",
  more: "In credit mode a card is opened on a package, in authorization mode on a BIN. The same unique number again answers with the same card.",
  examples: [
    "cards apply --cardholder U202605220001 --unique-no card-10001 --package P202605220001",
    "cards apply --cardholder U202605220001 --unique-no card-10002 --bin B202605220001 --type Physical --address address.json",
  ],
  flags: {
    cardholder: { kind: "text", value: "CARDHOLDER_NO", required: true, about: "whose card it is" },
    "unique-no": { kind: "text", value: "NO", required: true, about: "your number of the card, 64 characters at most" },
    package: { kind: "text", value: "PACKAGE_NO", about: "credit mode: what the card is opened on" },
    bin: { kind: "text", value: "CARD_BIN_NO", about: "authorization mode: what the card is opened on" },
    type: { kind: "text", value: "TYPE", oneOf: ["Virtual", "Physical"], fallback: "Virtual", about: "kind of card" },
    ...addressFlags,
  },
  run: async ({ flags, context }) => {
    if ((flags.package === undefined) === (flags.bin === undefined)) {
      throw wrongUsage("cards apply needs --package (credit mode) or --bin (authorization mode), one of the two.");
    }
    const address = await addressOf(context, flags);
    const { client } = await context.session();
    showObject(
      context,
      await client.cards.apply({
        ...(flags.package !== undefined && { package_no: flags.package }),
        ...(flags.bin !== undefined && { card_bin_no: flags.bin }),
        cardholder_no: flags.cardholder,
        card_unique_no: flags["unique-no"],
        card_type: flags.type,
        ...(address !== null && { address_info: address }),
      }),
    );
    return undefined;
  },
});

const list = command({
  name: "cards list",
  endpoint: "card.list",
  summary: "List cards, newest first",
  examples: ["cards list", "cards list --cardholder U202605220001 --since 90d"],
  flags: {
    cardholder: { kind: "text", value: "CARDHOLDER_NO", about: "only this cardholder's" },
    "unique-no": { kind: "text", value: "NO", about: "only the one with this number of yours" },
    "card-no": { kind: "text", value: "NO", about: "only this one" },
    ...periodFlags,
    ...limitFlags,
  },
  run: async ({ flags, context }) => {
    const { client } = await context.session();
    const rows = client.cards.list({
      cardholder_no: flags.cardholder,
      card_unique_no: flags["unique-no"],
      card_no: flags["card-no"],
      ...(await periodIn(context, flags)),
      size: pageSizeFor(flags),
    });
    await showList(context, {
      what: "cards",
      rows,
      ...flags,
      columns: [
        { title: "card_no", of: (row) => row.card_no },
        { title: "unique_no", of: (row) => row.card_unique_no, shrinkTo: 10 },
        { title: "cardholder_no", of: (row) => row.cardholder_no, shrinkTo: 13 },
        { title: "type", of: (row) => row.card_type },
        { title: "last", of: (row) => row.card_last_no },
        { title: "brand", of: (row) => row.organization, shrinkTo: 5 },
        { title: "status", of: (row) => context.out.state(row.status) },
        { title: "time", of: (row) => timeIn(context, row.time) },
      ],
    });
    return undefined;
  },
});

const show = command({
  name: "cards show",
  endpoint: "card.detail",
  summary: "Show a card with the fees of its product",
  examples: ["cards show C202605220001"],
  args: { card_no: cardNo },
  run: async ({ args, context }) => {
    const { client } = await context.session();
    showObject(context, await client.cards.retrieve(args.card_no));
    return undefined;
  },
});

const privateInfo = command({
  name: "cards private",
  endpoint: "card.private_info",
  summary: "Show a card's number, expiry and CVV, masked",
  more: "They come encrypted and are decrypted here with your apiSecret. --reveal shows them in full: mind who looks, and where the output is kept.",
  examples: ["cards private C202605220001", "cards private C202605220001 --reveal --json"],
  args: { card_no: cardNo },
  flags: { reveal: { kind: "switch", about: "show number, expiry and CVV in full" } },
  run: async ({ args, flags, context }) => {
    const { client } = await context.sessionWithSecret();
    const info = await client.cards.privateInfo(args.card_no);
    const masked = {
      cvv: "***",
      pan: `${info.pan.slice(0, 6)}******${info.pan.slice(-4)}`,
      exp_year: "****",
      exp_month: "**",
    };
    showObject(context, flags.reveal ? info : { ...info, ...masked });
    if (!flags.reveal) context.out.note("Masked; --reveal shows all of it.");
    return undefined;
  },
});

const activate = command({
  name: "cards activate",
  endpoint: "card.active",
  summary: "Activate a physical card that has arrived",
  more: "The CVV is asked for, or read from stdin, or from the variable CARDWRIGHT_CVV: on the command line others could see it.",
  examples: ["cards activate C202605220001 --last-four 4242"],
  args: { card_no: cardNo },
  flags: {
    "last-four": { kind: "text", value: "DIGITS", required: true, about: "last four digits of the printed number" },
    cardholder: { kind: "text", value: "CARDHOLDER_NO", about: "whose card it is; looked up when absent" },
  },
  run: async ({ args, flags, context }) => {
    const { client } = await context.sessionWithSecret();
    const cvv = await context.askSecret("CVV", "CARDWRIGHT_CVV");
    showObject(
      context,
      await client.cards.activate({
        cardholder_no: flags.cardholder ?? (await client.cards.retrieve(args.card_no)).cardholder_no,
        card_no: args.card_no,
        cvv,
        card_last_no: flags["last-four"],
      }),
    );
    return undefined;
  },
});

const setPin = command({
  name: "cards set-pin",
  endpoint: "card.pin_set",
  summary: "Set the PIN of an activated physical card",
  more: "6 digits without three equal or consecutive ones in a row. The PIN is asked for, or read from stdin, or from the variable CARDWRIGHT_PIN: on the command line others could see it.",
  examples: ["cards set-pin C202605220001", "cards set-pin C202605220001 < pin.txt"],
  args: { card_no: cardNo },
  flags: { cardholder: { kind: "text", value: "CARDHOLDER_NO", about: "whose card it is; looked up when absent" } },
  run: async ({ args, flags, context }) => {
    const { client } = await context.sessionWithSecret();
    const pin = await context.askSecret("PIN", "CARDWRIGHT_PIN");
    showObject(
      context,
      await client.cards.setPin({
        card_no: args.card_no,
        cardholder_no: flags.cardholder ?? (await client.cards.retrieve(args.card_no)).cardholder_no,
        pin,
      }),
    );
    return undefined;
  },
});

const freeze = command({
  name: "cards freeze",
  endpoint: "card.status_update",
  summary: "Freeze a card: every purchase is declined until it is unfrozen",
  examples: ["cards freeze C202605220001"],
  args: { card_no: cardNo },
  run: async ({ args, context }) => {
    const { client } = await context.session();
    showObject(context, await client.cards.updateStatus({ card_no: args.card_no, status: "Frozen" }));
    return undefined;
  },
});

const unfreeze = command({
  name: "cards unfreeze",
  endpoint: "card.status_update",
  summary: "Make a frozen card work again",
  examples: ["cards unfreeze C202605220001"],
  args: { card_no: cardNo },
  run: async ({ args, context }) => {
    const { client } = await context.session();
    showObject(context, await client.cards.updateStatus({ card_no: args.card_no, status: "Activated" }));
    return undefined;
  },
});

const remove = command({
  name: "cards delete",
  endpoint: "card.status_update",
  summary: "Delete a card for good",
  more: "Nothing brings a deleted card back, so you are asked whether you mean it.",
  examples: ["cards delete C202605220001", "cards delete C202605220001 --yes"],
  args: { card_no: cardNo },
  flags: { yes: { kind: "switch", short: "y", about: "do not ask" } },
  run: async ({ args, flags, context }) => {
    if (!flags.yes && !context.ask.isTerminal) {
      throw wrongUsage("cards delete is final: nobody can be asked here, so it needs --yes.");
    }
    const { client } = await context.session();
    if (!flags.yes && !(await context.ask.confirm(`Delete card ${args.card_no} for good?`))) {
      throw new CommandFailed("refused", "Nothing was deleted.");
    }
    showObject(context, await client.cards.updateStatus({ card_no: args.card_no, status: "Delete" }));
    return undefined;
  },
});

const clientToken = command({
  name: "cards client-token",
  endpoint: "merchant.client_token",
  summary: "Get a token with which a cardholder's browser shows the card once",
  examples: ["cards client-token C202605220001"],
  args: { card_no: cardNo },
  run: async ({ args, context }) => {
    const { client } = await context.session();
    showObject(context, await client.cards.createClientToken(args.card_no));
    return undefined;
  },
});

export const cardCommands: readonly Command[] = [
  apply,
  list,
  show,
  privateInfo,
  activate,
  freeze,
  unfreeze,
  remove,
  setPin,
  clientToken,
];
