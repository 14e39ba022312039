import { type Command, command } from "../command/command.ts";
import { limitFlags, pageSizeFor, periodFlags, periodIn, showList } from "./listing.ts";
import { showObject, timeIn } from "./showing.ts";

const apply = command({
  name: "cardholders apply",
  endpoint: "cardholder.apply",
  summary: "Apply for a cardholder, or again for a rejected one",
  more: "The identity check goes on behind it: ask with `cardholders show` until the status is Approved. The share token may come from stdin: it is asked for when the flag is absent.",
  examples: [
    "cardholders apply --unique-no user-10001 --share-token eyJhbGciOi…",
    "cardholders apply --update U202605220001 --unique-no user-10001",
  ],
  flags: {
    "unique-no": {
      kind: "text",
      value: "NO",
      required: true,
      about: "your number of the person, 64 characters at most",
    },
    "share-token": { kind: "text", value: "TOKEN", about: "share token of the person's Sumsub applicant" },
    update: { kind: "text", value: "CARDHOLDER_NO", about: "the rejected cardholder that applies again" },
  },
  run: async ({ flags, context }) => {
    const { client } = await context.session();
    showObject(
      context,
      await client.cardholders.apply({
        cardholder_unique_no: flags["unique-no"],
        sumsub_share_token: flags["share-token"] ?? (await context.ask.secret("Share token")),
        ...(flags.update !== undefined && { cardholder_no: flags.update }),
      }),
    );
    return undefined;
  },
});

const list = command({
  name: "cardholders list",
  endpoint: "cardholder.list",
  summary: "List cardholders, newest first",
  examples: ["cardholders list", "cardholders list --since 2026-11-01 --until 2026-11-30 --all --json"],
  flags: {
    "cardholder-no": { kind: "text", value: "NO", about: "only this one" },
    "unique-no": { kind: "text", value: "NO", about: "only the one with this number of yours" },
    ...periodFlags,
    ...limitFlags,
  },
  run: async ({ flags, context }) => {
    const { client } = await context.session();
    const rows = client.cardholders.list({
      cardholder_no: flags["cardholder-no"],
      cardholder_unique_no: flags["unique-no"],
      ...(await periodIn(context, flags)),
      size: pageSizeFor(flags),
    });
    await showList(context, {
      what: "cardholders",
      rows,
      ...flags,
      columns: [
        { title: "cardholder_no", of: (row) => row.cardholder_no },
        { title: "unique_no", of: (row) => row.cardholder_unique_no, shrinkTo: 10 },
        { title: "status", of: (row) => context.out.state(row.status) },
        { title: "email", of: (row) => row.email, shrinkTo: 8 },
        { title: "time", of: (row) => timeIn(context, row.time) },
        { title: "fail_reason", of: (row) => row.fail_reason, shrinkTo: 11 },
      ],
    });
    return undefined;
  },
});

const show = command({
  name: "cardholders show",
  endpoint: "cardholder.info",
  summary: "Show a cardholder with its cards and accounts",
  examples: ["cardholders show U202605220001"],
  args: { cardholder_no: { about: "number of the cardholder" } },
  run: async ({ args, context }) => {
    const { client } = await context.session();
    showObject(context, await client.cardholders.retrieve(args.cardholder_no));
    return undefined;
  },
});

export const cardholderCommands: readonly Command[] = [apply, list, show];
