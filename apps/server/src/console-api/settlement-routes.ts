import { z } from "zod";
import { ok, type Result, refused, unreachable } from "#kernel/index.ts";
import { type Merchants, oneLine } from "#merchants/index.ts";
import {
  fileStates,
  type ImportRefusal,
  isDay,
  itemKinds,
  itemStates,
  noteCharactersMax,
  resolutions,
  type Settlement,
  type SettlementItem,
} from "#settlement/index.ts";
import type { Refusal } from "./refusals.ts";
import { merchantOf, pageOf, pageQuery, publicNumber, uuid } from "./request-parts.ts";
import { type Route, route, uploadRoute } from "./route.ts";
import {
  fileAnswer,
  fileToWire,
  importAnswer,
  itemAnswer,
  itemToWire,
  namingAnswer,
  namingToWire,
} from "./settlement-wire.ts";

/** 2,000,000 rows of 130 bytes; longer files, and lines too slow to send this in time, are for the command line. */
export const settlementFileBytesMax = 268_435_456;

const fileNumber = z.string().regex(/^[1-9][0-9]{0,8}$/u);
const day = z.string().regex(/^20[0-9]{2}-[0-9]{2}-[0-9]{2}$/u);
const fileParams = z.strictObject({ file_no: fileNumber });
const itemParams = z.strictObject({ item_id: uuid });

const itemQuery = z.strictObject({
  state: z.enum(itemStates).exactOptional(),
  kind: z.enum(itemKinds).exactOptional(),
  file_no: fileNumber.exactOptional(),
  settlement_date: day.exactOptional(),
  merchant_no: publicNumber.exactOptional(),
  network_reference: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,64}$/u)
    .exactOptional(),
  ...pageQuery,
});

export interface SettlementRoutesDeps {
  readonly merchants: Pick<Merchants, "find" | "numbersOf">;
  readonly settlement: Settlement;
}

/** The card network's settlement files, and where they differ from what its messages had said. */
export function settlementRoutes(deps: SettlementRoutesDeps): Route[] {
  return [...fileRoutes(deps), ...itemRoutes(deps)];
}

function fileRoutes({ settlement }: SettlementRoutesDeps): Route[] {
  return [
    uploadRoute({
      method: "POST",
      path: "/settlement/files",
      summary: "Import a settlement file of the card network",
      description:
        "The body is the file itself. Answers when every row has been compared. Importing it again changes nothing and answers the same.",
      status: 200,
      upload: { mediaType: "text/csv", bytesMax: settlementFileBytesMax },
      answer: importAnswer,
      refusals: ["settlement_file_id_reused", "settlement_import_under_way", "settlement_import_taken_over"],
      handle: async ({ upload, by }) => {
        const imported = await settlement.importFile(upload, { by });
        if (!imported.ok) return refused(refusalOf(imported.reason));
        return ok({ repeat: imported.value.repeat, file: fileToWire(imported.value.file) });
      },
    }),
    route({
      method: "GET",
      path: "/settlement/files",
      summary: "List settlement files, newest first",
      status: 200,
      query: z.strictObject({
        state: z.enum(fileStates).exactOptional(),
        settlement_date: day.exactOptional(),
        ...pageQuery,
      }),
      answer: z.strictObject({ list: z.array(fileAnswer) }),
      refusals: [],
      handle: async ({ query }) => {
        const date = dayOf(query.settlement_date);
        if (!date.ok) return date;
        const filter = { state: query.state ?? null, settlementDate: date.value, ...pageOf(query) };
        return ok({ list: (await settlement.listFiles(filter)).map(fileToWire) });
      },
    }),
    route({
      method: "GET",
      path: "/settlement/files/{file_no}",
      summary: "Read a settlement file's counts and state",
      status: 200,
      params: fileParams,
      answer: fileAnswer,
      refusals: ["settlement_file_unknown"],
      handle: async ({ params }) => {
        const file = await settlement.findFile(Number(params.file_no));
        return file === null ? refused("settlement_file_unknown") : ok(fileToWire(file));
      },
    }),
  ];
}

function itemRoutes({ merchants, settlement }: SettlementRoutesDeps): Route[] {
  const toWire = async (items: readonly SettlementItem[]) => {
    const ids = new Set(items.flatMap(({ merchantId }) => merchantId ?? []));
    const numbers = ids.size === 0 ? new Map<number, string>() : await merchants.numbersOf([...ids]);
    return items.map((item) => itemToWire(item, numbers));
  };
  const oneToWire = async (item: SettlementItem) => {
    const [wire] = await toWire([item]);
    if (wire === undefined) throw new Error("an item was lost on its way to the wire");
    return wire;
  };
  return [
    route({
      method: "GET",
      path: "/settlement/items",
      summary: "List differences between settlement files and our messages, newest first",
      status: 200,
      query: itemQuery,
      answer: z.strictObject({ list: z.array(itemAnswer) }),
      refusals: ["merchant_unknown"],
      handle: async ({ query }) => {
        const date = dayOf(query.settlement_date);
        if (!date.ok) return date;
        const merchantId = await merchantOf(merchants, query);
        if (!merchantId.ok) return merchantId;
        const items = await settlement.listItems({
          state: query.state ?? null,
          kind: query.kind ?? null,
          fileKey: query.file_no === undefined ? null : Number(query.file_no),
          settlementDate: date.value,
          merchantId: merchantId.value ?? null,
          networkReference: query.network_reference ?? null,
          ...pageOf(query),
        });
        return ok({ list: await toWire(items) });
      },
    }),
    route({
      method: "GET",
      path: "/settlement/items/{item_id}",
      summary: "Read a difference, with the rows that name its reference",
      status: 200,
      params: itemParams,
      answer: z.strictObject({ item: itemAnswer, named_by: z.array(namingAnswer) }),
      refusals: ["settlement_item_unknown"],
      handle: async ({ params }) => {
        const found = await settlement.findItem(params.item_id);
        if (found === null) return refused("settlement_item_unknown");
        return ok({ item: await oneToWire(found.item), named_by: found.namings.map(namingToWire) });
      },
    }),
    route({
      method: "POST",
      path: "/settlement/items/{item_id}/resolve",
      summary: "Record what was decided about a difference",
      description:
        "Moves no money: what the decision asks for is booked as an adjustment. A later file that names the reference opens the item again.",
      status: 200,
      params: itemParams,
      body: z.strictObject({
        resolution: z.enum(resolutions),
        note: z.string().max(noteCharactersMax).regex(oneLine).meta({ description: "Why; one line." }),
      }),
      answer: itemAnswer,
      refusals: ["settlement_item_unknown", "settlement_item_resolved", "note_invalid"],
      handle: async ({ params, body, by }) => {
        const resolved = await settlement.resolve({ itemId: params.item_id, ...body }, by);
        return resolved.ok ? ok(await oneToWire(resolved.value)) : resolved;
      },
    }),
  ];
}

/** The schema knows the form of a day; this knows whether it exists. */
function dayOf(text: string | undefined): Result<string | null, Refusal> {
  if (text === undefined) return ok(null);
  return isDay(text) ? ok(text) : refused({ field: "settlement_date", message: "is not a day of the calendar" });
}

function refusalOf(refusal: ImportRefusal): Refusal {
  switch (refusal.kind) {
    case "header_invalid":
      return { field: "body", message: refusal.message };
    case "file_id_reused":
      return "settlement_file_id_reused";
    case "import_under_way":
      return "settlement_import_under_way";
    case "import_taken_over":
      return "settlement_import_taken_over";
    default:
      return unreachable(refusal);
  }
}
