import { type Command, command } from "../command/command.ts";
import { CommandFailed, wrongUsage } from "../exit-codes.ts";
import { momentOf } from "../input/times.ts";
import { limitFlags, momentIn, pageSizeMax, rowsWanted, showList, showTable } from "./listing.ts";
import { showObject, timeIn } from "./showing.ts";

/** Of one call; more ids are sent in several. */
const resendIdsMax = 100;

const list = command({
  name: "events list",
  summary: "List the callbacks that were pushed to you, newest first",
  more: "All of the last 30 days, with how their delivery stands.",
  examples: ["events list --missed", "events list --card C202605220001 --action Consumption --since 24h"],
  flags: {
    state: { kind: "text", value: "STATE", oneOf: ["Open", "Delivered", "Given_up"], about: "only these" },
    missed: { kind: "switch", about: "only those that are not delivered: given up, or tried at least once in vain" },
    action: { kind: "text", value: "ACTION", oneOf: ["Consumption", "Card_update"], about: "only these" },
    card: { kind: "text", value: "CARD_NO", about: "only about this card" },
    "consume-no": { kind: "text", value: "NO", about: "only about this consumption" },
    since: {
      kind: "text",
      value: "TIME",
      about: 'only from then on: 2026-11-26, "2026-11-26 07:36:28", or 12h ago as 12h',
    },
    until: { kind: "text", value: "TIME", about: "only up to then, of the same forms" },
    ...limitFlags,
  },
  run: async ({ flags, context }) => {
    if (flags.missed && flags.state !== undefined) {
      throw wrongUsage("events list takes --missed or --state, not both.");
    }
    const { client } = await context.session();
    const moment = flags.since === undefined && flags.until === undefined ? null : await momentIn(context);
    const all = client.developer.listCallbacks({
      state: flags.state,
      action: flags.action,
      card_no: flags.card,
      consume_no: flags["consume-no"],
      ...(moment !== null && flags.since !== undefined && { start_time: momentOf(flags.since, moment) }),
      ...(moment !== null && flags.until !== undefined && { end_time: momentOf(flags.until, moment) }),
      size: Math.min(pageSizeMax, rowsWanted(flags) + 1),
    });
    const isMissed = (row: { readonly state: string; readonly attempts: number }): boolean =>
      row.state === "Given_up" || (row.state === "Open" && row.attempts > 0);
    await showList(context, {
      what: flags.missed ? "missed callbacks" : "callbacks",
      rows: flags.missed ? only(all, isMissed) : all,
      ...flags,
      columns: [
        { title: "callback_id", of: (row) => row.callback_id },
        { title: "action", of: (row) => row.action },
        { title: "card_no", of: (row) => row.card_no, shrinkTo: 10 },
        { title: "seq", of: (row) => String(row.sequence), align: "right" },
        { title: "state", of: (row) => context.out.state(row.state) },
        { title: "tries", of: (row) => String(row.attempts), align: "right" },
        { title: "created", of: (row) => timeIn(context, row.created_at) },
        { title: "next_try", of: (row) => timeIn(context, row.next_attempt_at) },
        { title: "last_error", of: (row) => row.last_error, shrinkTo: 12 },
      ],
    });
    return undefined;
  },
});

async function* only<Row>(rows: AsyncIterable<Row>, wanted: (row: Row) => boolean): AsyncGenerator<Row> {
  for await (const row of rows) {
    if (wanted(row)) yield row;
  }
}

const show = command({
  name: "events show",
  summary: "Show a callback with its data and every try to deliver it",
  examples: ["events show cb_1"],
  args: { callback_id: { about: "the id of the push, as in its body" } },
  run: async ({ args, context }) => {
    const { client } = await context.session();
    const found = await client.developer.retrieveCallback(args.callback_id);
    if (context.out.json) {
      context.out.value(found);
      return undefined;
    }
    const { data, attempt_list: attempts, ...head } = found;
    showObject(context, head);
    context.out.heading("data");
    context.out.line(JSON.stringify(data, undefined, 2));
    if (attempts.length > 0) {
      context.out.heading("tries, the latest first");
      showTable(
        context,
        [
          { title: "try", of: (row) => String(row.attempt), align: "right" },
          { title: "time", of: (row) => timeIn(context, row.time) },
          { title: "ms", of: (row) => String(row.duration_ms), align: "right" },
          { title: "http", of: (row) => (row.http_status === 0 ? "" : String(row.http_status)), align: "right" },
          { title: "error", of: (row) => row.error, shrinkTo: 12 },
          { title: "answer", of: (row) => row.answer, shrinkTo: 20 },
        ],
        attempts,
      );
    }
    return undefined;
  },
});

const resend = command({
  name: "events resend",
  summary: "Have callbacks sent again",
  more: "A callback that is sent again has the same id and data: a server that keeps ids does nothing twice.",
  examples: ["events resend cb_1 cb_2", "events resend --missed", "events resend --since 2h"],
  args: { callback_id: { about: "ids of pushes", optional: true, many: true } },
  flags: {
    missed: { kind: "switch", about: "all that are not delivered" },
    since: { kind: "text", value: "TIME", about: 'all since then: 2026-11-26, "2026-11-26 07:36:28", or 2h ago as 2h' },
  },
  run: async ({ args, flags, context }) => {
    const ids = [...new Set(args.callback_id)];
    const ways = [ids.length > 0, flags.missed, flags.since !== undefined].filter(Boolean).length;
    if (ways !== 1) {
      throw wrongUsage("events resend needs ids, or --missed, or --since TIME: one of the three.");
    }
    const { client } = await context.session();
    const wanted =
      flags.since !== undefined
        ? [{ since: momentOf(flags.since, await momentIn(context)) }]
        : flags.missed
          ? [{ missed: true } as const]
          : chunks(ids, resendIdsMax).map((part) => ({ callback_ids: part }));
    const done = { resent: 0, unknown: new Array<string>() };
    for (const part of wanted) {
      const { resent, unknown } = await client.developer.resendCallbacks(part);
      done.resent += resent;
      done.unknown.push(...unknown);
    }
    showResent(context, done);
    return undefined;
  },
});

function showResent(
  { out }: Parameters<typeof showObject>[0],
  { resent, unknown }: { readonly resent: number; readonly unknown: readonly string[] },
): void {
  if (out.json) {
    out.value({ resent, unknown });
  } else {
    out.line(`${resent} ${resent === 1 ? "callback is" : "callbacks are"} sent again.`);
  }
  if (unknown.length > 0) {
    throw new CommandFailed("notFound", `You have no callback ${unknown.join(", ")}.`);
  }
}

const chunks = <Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, place) => items.slice(place * size, (place + 1) * size));

export const eventCommands: readonly Command[] = [list, show, resend];
