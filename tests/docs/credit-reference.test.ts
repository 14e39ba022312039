import { startApi, type TestApi } from "@cardwright/testing/api";
import { type OperatorDesk, openOperatorDesk } from "@cardwright/testing/operator-desk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { document } from "./documents.ts";

/** docs/reference/credit.md: the example's table, played line by line. */

let api: TestApi;
let desk: OperatorDesk;
beforeAll(async () => {
  api = await startApi();
  desk = await openOperatorDesk(api);
});
afterAll(async () => {
  await desk.close();
  await api.close();
});

const lines = [
  ...document("docs/reference/credit.md").matchAll(
    /^\| (?<what>`In`|`Out`|bonus) (?<amount>[\d.]+) (?:to|from) (?<who>Ada|Ben) +\| (?<code>\d+) +\| (?<outstanding>[\d.]+) +\|$/gmu,
  ),
].map(({ groups = {} }) => groups);

test("each transfer of the example is answered as the table says, and leaves the credit that it says", async () => {
  const merchant = await api.newMerchant("CREDIT_EXTENSION");
  await api.recharge(merchant, "100.00");
  const path = `/merchants/${merchant.merchant.merchantNo}`;
  await desk.call("PATCH", path, { credit_policy: { kind: "ratio", ratio: "1.5" } });
  const numbers = { Ada: await api.approvedCardholder(merchant), Ben: await api.approvedCardholder(merchant) };

  const played: (typeof lines)[number][] = [];
  for (const [index, line] of lines.entries()) {
    const { what = "", amount = "" } = line;
    const cardholderNo = line["who"] === "Ada" ? numbers.Ada : numbers.Ben;
    const reference = `line ${index}`;
    let code: string;
    if (what === "bonus") {
      const bonus = { type: "In", amount, reference, reason: "Example" };
      const { status } = await desk.call("POST", `${path}/cardholders/${cardholderNo}/bonus`, bonus);
      code = status === 200 ? "0" : String(status);
    } else {
      const body = { cardholder_no: cardholderNo, transfer_unique_no: reference, type: what.replaceAll("`", "") };
      code = String((await api.post(merchant, "/account/transfer", { ...body, balance: amount })).code);
    }
    const { body } = await desk.call("GET", `${path}/credit`);
    played.push({ ...line, code, outstanding: String(body["outstanding"]) });
  }
  expect(lines.length).toBeGreaterThan(8);
  expect(played).toEqual(lines);
});
