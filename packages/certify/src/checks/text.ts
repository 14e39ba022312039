import type { Check } from "../check.ts";
import { checksOf, type Definition, knock, yesTo } from "./define.ts";

const utf8 =
  "Read the body as UTF-8, sign the decoded text of each string, and store names in a column that holds all of Unicode (utf8mb4 in MySQL).";
const noTemplates = "Parse the body with a JSON library and sign its decoded texts; do not cut or unescape by hand.";

function shopName(
  definition: Pick<Definition, "name" | "title" | "proves" | "mend"> & {
    readonly shop: string;
    readonly city?: string;
  },
): Definition {
  const { shop, city = "Example City", ...rest } = definition;
  return {
    ...rest,
    weight: "contract",
    needs: ["money"],
    run: async (bench) => {
      const answer = await knock(bench, { shop: { merchant_name: shop, city } });
      return yesTo(`merchant_name ${JSON.stringify(shop)}`, answer);
    },
  };
}

export const textChecks: readonly Check[] = checksOf("text", [
  shopName({
    name: "cjk",
    title: "Takes shop names in Chinese, Japanese and Korean",
    proves: "Purchases in East Asia are recognised as genuine.",
    mend: utf8,
    shop: "全聯福利中心 セブン 스타벅스",
    city: "臺北市",
  }),
  shopName({
    name: "emoji",
    title: "Takes shop names with emoji",
    proves: "Characters outside the first 65,536 are stored and signed.",
    mend: utf8,
    shop: "🍕 Pizza 👩‍🍳 & co",
  }),
  shopName({
    name: "right-to-left",
    title: "Takes shop names in Arabic and Hebrew",
    proves: "Right-to-left text is signed in the order in which it came.",
    mend: utf8,
    shop: "مقهى النيل קפה תל אביב",
    city: "القاهرة",
  }),
  shopName({
    name: "combining",
    title: "Takes letters with combining accents as they are",
    proves: "Text is not normalised before the signature is checked.",
    mend: "Check the signature before you normalise: é may come as one character or as two.",
    shop: "Cafe\u0301 Zu\u0308rich \u00e9t\u00e9",
  }),
  shopName({
    name: "separators",
    title: "Takes & and = in a shop name",
    proves: "The signed text is built from key=value pairs, not parsed back into them.",
    mend: "Do not URL-encode the values, and do not split the signed text at & or =.",
    shop: "H&M a=b&c=d %26 + ?x=1",
  }),
  shopName({
    name: "quotes",
    title: "Takes quotes, backslashes and markup in a shop name",
    proves: "Escaped characters are decoded once, and nothing is escaped that came plain.",
    mend: noTemplates,
    shop: `"Joe's" \\ bar </script> <b>`,
  }),
  shopName({
    name: "long",
    title: "Takes a shop name of 128 characters",
    proves: "No column is too short for what the network sends.",
    mend: "Store 255 characters, or cut the name for your own pages; never refuse the purchase for it.",
    shop: "A VERY LONG NAME OF A SHOP ".repeat(5).slice(0, 128),
  }),
  shopName({
    name: "empty",
    title: "Takes a shop without a name",
    proves: "An empty text is signed as one, and a purchase without details is answered.",
    mend: "Empty texts stay in the signed text (merchant_info is one JSON text); only null is left out.",
    shop: "",
    city: "",
  }),
]);
