import { z } from "zod";
import { ok, type Result, refused } from "#kernel/index.ts";
import type { Merchants } from "#merchants/index.ts";
import type { Bin, InvalidInput, Package, Products } from "#products/index.ts";
import { idsOfOffer, numbersOfOffers } from "./offered-to.ts";
import {
  binAnswer,
  binChangeBody,
  binToWire,
  newBinBody,
  newPackageBody,
  packageAnswer,
  packageChangeBody,
  packageToWire,
} from "./product-wire.ts";
import { pageOf, pageQuery, publicNumber } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

export interface ProductRouteDeps {
  readonly merchants: Merchants;
  readonly products: Products;
}

const binParams = z.strictObject({ card_bin_no: publicNumber });
const packageParams = z.strictObject({ package_no: publicNumber });

/** BINs and packages. */
export function productRoutes(deps: ProductRouteDeps): Route[] {
  return [...binRoutes(deps), ...packageRoutes(deps)];
}

function binRoutes(deps: ProductRouteDeps): Route[] {
  const { products } = deps;
  return [
    route({
      method: "POST",
      path: "/bins",
      summary: "Create a BIN",
      status: 201,
      body: newBinBody,
      answer: binAnswer,
      refusals: ["card_type_missing"],
      handle: async ({ body, by }) => {
        const { bin, organization, pan_length, limits, support_virtual, support_physical } = body;
        const offer = await changesOf(deps, body);
        if (!offer.ok) return offer;
        const required = { bin, organization, limits };
        const types = { supportVirtual: support_virtual, supportPhysical: support_physical };
        const panLength = pan_length === undefined ? {} : { panLength: pan_length };
        return shownBin(deps, await products.createBin({ ...offer.value, ...required, ...types, ...panLength }, by));
      },
    }),
    route({
      method: "GET",
      path: "/bins",
      summary: "List BINs, newest first",
      status: 200,
      query: z.strictObject(pageQuery),
      answer: z.strictObject({ list: z.array(binAnswer) }),
      refusals: [],
      handle: async ({ query }) => {
        const bins = await products.allBins(pageOf(query));
        const offeredTo = await numbersOfOffers(deps.merchants, bins);
        return ok({ list: bins.map((bin) => binToWire(bin, offeredTo(bin))) });
      },
    }),
    route({
      method: "GET",
      path: "/bins/{card_bin_no}",
      summary: "Read a BIN",
      status: 200,
      params: binParams,
      answer: binAnswer,
      refusals: ["bin_unknown"],
      handle: async ({ params }) => {
        const bin = await products.findBin(params.card_bin_no);
        return shownBin(deps, bin === null ? refused("bin_unknown") : ok(bin));
      },
    }),
    route({
      method: "PATCH",
      path: "/bins/{card_bin_no}",
      summary: "Change a BIN, or switch it on or off",
      description: "What is not given stays, single limits and rates too. Cards that exist keep their terms.",
      status: 200,
      params: binParams,
      body: binChangeBody,
      answer: binAnswer,
      refusals: ["bin_unknown", "card_type_missing"],
      handle: async ({ params, body, by }) => {
        const change = await changesOf(deps, body);
        if (!change.ok) return change;
        const { card_bin_no: cardBinNo } = params;
        return shownBin(deps, await products.updateBin({ cardBinNo, change: change.value }, by));
      },
    }),
  ];
}

function packageRoutes(deps: ProductRouteDeps): Route[] {
  const { products } = deps;
  return [
    route({
      method: "POST",
      path: "/packages",
      summary: "Create a package on a BIN",
      status: 201,
      body: newPackageBody,
      answer: packageAnswer,
      refusals: ["bin_unknown", "card_type_missing", "card_type_not_on_bin"],
      handle: async ({ body, by }) => {
        const { card_bin_no, en_name, cn_name, limits, support_virtual, support_physical } = body;
        const offer = await changesOf(deps, body);
        if (!offer.ok) return offer;
        const required = { cardBinNo: card_bin_no, enName: en_name, cnName: cn_name, limits };
        const types = { supportVirtual: support_virtual, supportPhysical: support_physical };
        const made = await products.createPackage({ ...offer.value, ...textsOf(body), ...required, ...types }, by);
        return shownPackage(deps, made);
      },
    }),
    route({
      method: "GET",
      path: "/packages",
      summary: "List packages, newest first",
      status: 200,
      query: z.strictObject(pageQuery),
      answer: z.strictObject({ list: z.array(packageAnswer) }),
      refusals: [],
      handle: async ({ query }) => {
        const packages = await products.allPackages(pageOf(query));
        const offeredTo = await numbersOfOffers(deps.merchants, packages);
        return ok({ list: packages.map((product) => packageToWire(product, offeredTo(product))) });
      },
    }),
    route({
      method: "GET",
      path: "/packages/{package_no}",
      summary: "Read a package",
      status: 200,
      params: packageParams,
      answer: packageAnswer,
      refusals: ["package_unknown"],
      handle: async ({ params }) => {
        const product = await products.findPackage(params.package_no);
        return shownPackage(deps, product === null ? refused("package_unknown") : ok(product));
      },
    }),
    route({
      method: "PATCH",
      path: "/packages/{package_no}",
      summary: "Change a package, or switch it on or off",
      description: "What is not given stays, single limits and rates too. Cards that exist keep their terms.",
      status: 200,
      params: packageParams,
      body: packageChangeBody,
      answer: packageAnswer,
      refusals: ["package_unknown", "card_type_missing", "card_type_not_on_bin"],
      handle: async ({ params, body, by }) => {
        const offer = await changesOf(deps, body);
        if (!offer.ok) return offer;
        const change = { ...offer.value, ...textsOf(body) };
        return shownPackage(deps, await products.updatePackage({ packageNo: params.package_no, change }, by));
      },
    }),
  ];
}

/** The members that BINs and packages have in common, in camel case, as far as they are given. */
async function changesOf(deps: ProductRouteDeps, body: z.infer<typeof binChangeBody>) {
  const offeredTo = body.offered_to === undefined ? undefined : await idsOfOffer(deps.merchants, body.offered_to);
  if (offeredTo?.ok === false) return offeredTo;
  const { status, currencies, valid_months, support_virtual, support_physical, cards_per_cardholder_max } = body;
  return ok({
    ...(status !== undefined && { status }),
    ...(currencies !== undefined && { currencies }),
    ...(valid_months !== undefined && { validMonths: valid_months }),
    ...(support_virtual !== undefined && { supportVirtual: support_virtual }),
    ...(support_physical !== undefined && { supportPhysical: support_physical }),
    ...(cards_per_cardholder_max !== undefined && { cardsPerCardholderMax: cards_per_cardholder_max }),
    ...(offeredTo !== undefined && { offeredTo: offeredTo.value }),
    ...(body.limits !== undefined && { limits: body.limits }),
    ...(body.rates !== undefined && { rates: body.rates }),
  });
}

/** The texts of a package, as far as they are given. */
function textsOf(body: z.infer<typeof packageChangeBody>) {
  const { en_name, cn_name, en_desc, cn_desc, en_tag_list, cn_tag_list } = body;
  return {
    ...(en_name !== undefined && { enName: en_name }),
    ...(cn_name !== undefined && { cnName: cn_name }),
    ...(en_desc !== undefined && { enDesc: en_desc }),
    ...(cn_desc !== undefined && { cnDesc: cn_desc }),
    ...(en_tag_list !== undefined && { enTagList: en_tag_list }),
    ...(cn_tag_list !== undefined && { cnTagList: cn_tag_list }),
  };
}

async function shownBin<Reason>(
  deps: ProductRouteDeps,
  outcome: Result<Bin, Reason | InvalidInput>,
): Promise<Result<z.infer<typeof binAnswer>, Reason | InvalidInput>> {
  if (!outcome.ok) return outcome;
  const offeredTo = await numbersOfOffers(deps.merchants, [outcome.value]);
  return ok(binToWire(outcome.value, offeredTo(outcome.value)));
}

async function shownPackage<Reason>(
  deps: ProductRouteDeps,
  outcome: Result<Package, Reason | InvalidInput>,
): Promise<Result<z.infer<typeof packageAnswer>, Reason | InvalidInput>> {
  if (!outcome.ok) return outcome;
  const offeredTo = await numbersOfOffers(deps.merchants, [outcome.value]);
  return ok(packageToWire(outcome.value, offeredTo(outcome.value)));
}
