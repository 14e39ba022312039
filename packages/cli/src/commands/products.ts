import { type Command, command } from "../command/command.ts";
import { limitFlags, pageSizeFor, showList } from "./listing.ts";

const packages = command({
  name: "packages list",
  endpoint: "card.package_list",
  summary: "List the packages that cards are opened on (credit mode)",
  more: "--json shows limits and the whole fee schedule.",
  examples: ["packages list", "packages list --type Physical --json"],
  flags: {
    type: { kind: "text", value: "TYPE", oneOf: ["Virtual", "Physical"], about: "only those with this kind of card" },
    "package-no": { kind: "text", value: "NO", about: "only this one" },
    ...limitFlags,
  },
  run: async ({ flags, context }) => {
    const { client } = await context.session();
    const rows = client.products.listPackages({
      type: flags.type,
      package_no: flags["package-no"],
      size: pageSizeFor(flags),
    });
    const chinese = context.globals.language === "zh_CN";
    await showList(context, {
      what: "packages",
      rows,
      ...flags,
      columns: [
        { title: "package_no", of: (row) => row.package_no },
        { title: "name", of: (row) => (chinese ? row.package_cn_name : row.package_en_name), shrinkTo: 8 },
        { title: "bin", of: (row) => row.card_bin },
        { title: "brand", of: (row) => row.organization, shrinkTo: 5 },
        { title: "types", of: (row) => row.package_type },
        { title: "open_cost", of: (row) => row.fee_detail.open_cost, align: "right" },
        { title: "rate", of: (row) => row.fee_detail.consume_rate, align: "right" },
        { title: "per_purchase", of: (row) => row.consumption_limit.limit_balance, align: "right" },
      ],
    });
    return undefined;
  },
});

const bins = command({
  name: "bins list",
  endpoint: "card.support_bins",
  summary: "List the BINs that cards are opened on (authorization mode)",
  more: "--json shows all limits.",
  examples: ["bins list"],
  flags: { "card-bin-no": { kind: "text", value: "NO", about: "only this one" }, ...limitFlags },
  run: async ({ flags, context }) => {
    const { client } = await context.session();
    const rows = client.products.listBins({ card_bin_no: flags["card-bin-no"], size: pageSizeFor(flags) });
    await showList(context, {
      what: "BINs",
      rows,
      ...flags,
      columns: [
        { title: "card_bin_no", of: (row) => row.card_bin_no },
        { title: "bin", of: (row) => row.card_bin },
        { title: "brand", of: (row) => row.organization, shrinkTo: 5 },
        { title: "virtual", of: (row) => context.out.state(row.support_virtual ? "yes" : "no") },
        { title: "physical", of: (row) => context.out.state(row.support_physical ? "yes" : "no") },
        { title: "currencies", of: (row) => row.currencies.join(", "), shrinkTo: 10 },
        { title: "per_purchase", of: (row) => row.balance_limit.limit_balance, align: "right" },
      ],
    });
    return undefined;
  },
});

export const productCommands: readonly Command[] = [packages, bins];
