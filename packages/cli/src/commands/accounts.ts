import { type Command, command } from "../command/command.ts";
import { wrongUsage } from "../exit-codes.ts";
import { limitFlags, pageSizeFor, periodFlags, periodIn, showList, showTable } from "./listing.ts";
import { showObject, timeIn } from "./showing.ts";

const show = command({
  name: "accounts show",
  endpoint: "account.info",
  summary: "Show a cardholder's balances (credit mode)",
  examples: ["accounts show U202605220001"],
  args: { cardholder_no: { about: "number of the cardholder" } },
  run: async ({ args, context }) => {
    const { client } = await context.session();
    const accounts = await client.accounts.retrieve(args.cardholder_no);
    if (context.out.json) {
      context.out.value(accounts);
    } else {
      showTable(
        context,
        [
          { title: "symbol", of: (row) => row.symbol },
          { title: "chain", of: (row) => row.symbol_chain },
          { title: "balance", of: (row) => row.balance, align: "right" },
          { title: "frozen", of: (row) => row.frozen_balance, align: "right" },
          { title: "bonus", of: (row) => row.bonus_balance, align: "right" },
          { title: "usd", of: (row) => row.usd_balance, align: "right" },
        ],
        accounts.list,
      );
    }
    return undefined;
  },
});

const transfer = command({
  name: "accounts transfer",
  endpoint: "account.transfer",
  summary: "Give a cardholder credit, or take it back (credit mode)",
  more: "The same unique number with the same content moves nothing again and answers with the first result.",
  examples: [
    "accounts transfer U202605220001 --in 100.00 --unique-no topup-2026-0001",
    "accounts transfer U202605220001 --out 25.00 --unique-no back-2026-0001",
  ],
  args: { cardholder_no: { about: "number of the cardholder" } },
  flags: {
    in: { kind: "text", value: "AMOUNT", about: "TUSDT to give, such as 100.00" },
    out: { kind: "text", value: "AMOUNT", about: "TUSDT to take back" },
    "unique-no": {
      kind: "text",
      value: "NO",
      required: true,
      about: "your number of the transfer, 64 characters at most",
    },
  },
  run: async ({ args, flags, context }) => {
    const { type, balance } = directionOf(flags);
    const { client } = await context.session();
    showObject(
      context,
      await client.accounts.transfer({
        cardholder_no: args.cardholder_no,
        transfer_unique_no: flags["unique-no"],
        type,
        balance,
      }),
    );
    return undefined;
  },
});

function directionOf(flags: { readonly in: string | undefined; readonly out: string | undefined }) {
  if (flags.in !== undefined && flags.out === undefined) return { type: "In", balance: flags.in } as const;
  if (flags.out !== undefined && flags.in === undefined) return { type: "Out", balance: flags.out } as const;
  throw wrongUsage("accounts transfer needs --in AMOUNT or --out AMOUNT, one of the two.");
}

const transfers = command({
  name: "accounts transfers",
  endpoint: "account.transfer_list",
  summary: "List transfers, newest first (credit mode)",
  examples: ["accounts transfers --cardholder U202605220001"],
  flags: {
    cardholder: { kind: "text", value: "CARDHOLDER_NO", about: "only this cardholder's" },
    "transfer-no": { kind: "text", value: "NO", about: "only this one" },
    "unique-no": { kind: "text", value: "NO", about: "only the one with this number of yours" },
    ...periodFlags,
    ...limitFlags,
  },
  run: async ({ flags, context }) => {
    const { client } = await context.session();
    const rows = client.accounts.listTransfers({
      cardholder_no: flags.cardholder,
      transfer_no: flags["transfer-no"],
      transfer_unique_no: flags["unique-no"],
      ...(await periodIn(context, flags)),
      size: pageSizeFor(flags),
    });
    await showList(context, {
      what: "transfers",
      rows,
      ...flags,
      columns: [
        { title: "transfer_no", of: (row) => row.transfer_no },
        { title: "unique_no", of: (row) => row.transfer_unique_no, shrinkTo: 10 },
        { title: "cardholder_no", of: (row) => row.cardholder_no, shrinkTo: 13 },
        { title: "type", of: (row) => row.type },
        { title: "amount", of: (row) => row.balance, align: "right" },
        { title: "before", of: (row) => row.before_balance, align: "right" },
        { title: "after", of: (row) => row.after_balance, align: "right" },
        { title: "status", of: (row) => context.out.state(row.status) },
        { title: "time", of: (row) => timeIn(context, row.time) },
      ],
    });
    return undefined;
  },
});

export const accountCommands: readonly Command[] = [show, transfer, transfers];
