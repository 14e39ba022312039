import { type Command, command } from "../command/command.ts";
import { limitFlags, pageSizeFor, periodFlags, periodIn, showList } from "./listing.ts";
import { showObject, timeIn } from "./showing.ts";

const list = command({
  name: "consumptions list",
  endpoint: "card.consume_list",
  summary: "List card transactions, newest first",
  examples: ["consumptions list --card C202605220001", "consumptions list --since 24h"],
  flags: {
    card: { kind: "text", value: "CARD_NO", about: "only this card's" },
    cardholder: { kind: "text", value: "CARDHOLDER_NO", about: "only this cardholder's" },
    "consume-no": { kind: "text", value: "NO", about: "only this one" },
    ...periodFlags,
    ...limitFlags,
  },
  run: async ({ flags, context }) => {
    const { client } = await context.session();
    const rows = client.consumptions.list({
      card_no: flags.card,
      cardholder_no: flags.cardholder,
      consume_no: flags["consume-no"],
      ...(await periodIn(context, flags)),
      size: pageSizeFor(flags),
    });
    await showList(context, {
      what: "consumptions",
      rows,
      ...flags,
      columns: [
        { title: "consume_no", of: (row) => row.consume_no },
        { title: "card_no", of: (row) => row.card_no, shrinkTo: 10 },
        { title: "type", of: (row) => row.type },
        { title: "amount", of: (row) => row.amount, align: "right" },
        { title: "fee", of: (row) => row.fee, align: "right" },
        { title: "local", of: (row) => `${row.local_amount} ${row.local_currency}`, align: "right" },
        { title: "status", of: (row) => context.out.state(row.status) },
        { title: "remark", of: (row) => row.remark, shrinkTo: 8 },
        { title: "time", of: (row) => timeIn(context, row.time) },
      ],
    });
    return undefined;
  },
});

const show = command({
  name: "consumptions show",
  endpoint: "card.consume_info",
  summary: "Show a card transaction with its fees and the shop",
  examples: ["consumptions show O202605220001"],
  args: { consume_no: { about: "number of the consumption" } },
  run: async ({ args, context }) => {
    const { client } = await context.session();
    showObject(context, await client.consumptions.retrieve(args.consume_no));
    return undefined;
  },
});

export const consumptionCommands: readonly Command[] = [list, show];
