import { expect, test } from "vitest";
import { loadScenarios, parseScenario } from "./scenario-files.ts";
import { freshMerchantNeedsOf, movesClock } from "./schema.ts";

const good = `
name: a-purchase
title: A purchase
shows: A purchase.
modes: [credit, authorization]
steps:
  - purchase: { as: p1, amount: 10.00 }
    callbacks:
      - { consumption: p1, status: Pending, amount: 10.00, fees: { credit: { Consume_fee: 0.50 }, authorization: {} } }
    balances: { credit: { available: -2.50, frozen: 0.00 } }
statement:
  - { of: p1, status: Pending, amount: 10.00 }
`;

const read = (text: string) => parseScenario("a-purchase.yaml", text);

test("a scenario is read with its texts as they are written, and one value stands for both modes", () => {
  expect(read(good)).toMatchObject({
    ok: true,
    value: {
      start: { reserve: "10000.00", credit: "1000.00", card: true },
      steps: [
        {
          purchase: { as: "p1", amount: "10.00" },
          callbacks: [
            {
              amount: { credit: "10.00", authorization: "10.00" },
              fees: { credit: { Consume_fee: "0.50" }, authorization: {} },
            },
          ],
        },
      ],
    },
  });
  const norway = good.replace("amount: 10.00 }", "amount: 10.00, merchant: { country: NO } }");
  expect(read(norway)).toMatchObject({ ok: true, value: { steps: [{ purchase: { merchant: { country: "NO" } } }] } });
});

test.each([
  ["an unknown key", ["title: A purchase", "titel: A purchase"], /a-purchase\.yaml: .*titel/u],
  ["another file's name", ["name: a-purchase", "name: b-purchase"], /name: must be the file's own, a-purchase/u],
  [
    "an amount without cents",
    ["frozen: 0.00", "frozen: 0"],
    /step 1 \(purchase\), balances, credit, frozen: .*two decimals/u,
  ],
  ["an unknown field of a step", ["as: p1,", "as: p1, tip: 1.00,"], /step 1 \(purchase\), purchase: .*tip/u],
  [
    "no action",
    ["- purchase: { as: p1, amount: 10.00 }", "- note: nothing"],
    /step 1: must have exactly one action, has none/u,
  ],
  [
    "two actions",
    ["    callbacks:", "    restart: true\n    callbacks:"],
    /exactly one action, has purchase and restart/u,
  ],
  [
    "a callback about nothing",
    ["consumption: p1, status: Pending,", "status: Pending,"],
    /step 1 \(purchase\), callbacks 1: must have exactly one of/u,
  ],
  ["an unknown fee", ["Consume_fee", "Consumption_fee"], /callbacks 1, fees, credit.*/u],
  ["an unknown status", ["- { of: p1, status: Pending", "- { of: p1, status: Open"], /statement 1, status: /u],
  [
    "an operator nobody knows",
    ["- purchase: { as: p1, amount: 10.00 }", "- operate: { by: eve, method: GET, path: /reserve-orders }"],
    /step 1 \(operate\), operate, by: /u,
  ],
  [
    "a name in braces that nothing has yet",
    ["- purchase: { as: p1, amount: 10.00 }", '- operate: { method: GET, path: "/reserve-orders/{order}" }'],
    /step 1 \(operate\), operate: \{order\} is not known at this step/u,
  ],
  [
    "a body of what is no operator's answer",
    ["    callbacks:", "    answers: { body: { status: Booked } }\n    callbacks:"],
    /step 1 \(purchase\), answers: body is of an operator's call alone/u,
  ],
  [
    "a row that is changed in two ways",
    [
      "- purchase: { as: p1, amount: 10.00 }",
      "- settle_day: { changes: [{ message: c1, settled: 1.00, left_out: true }] }",
    ],
    /step 1 \(settle_day\), settle_day, changes 1: must have exactly one of settled, names and left_out/u,
  ],
  [
    "a move of the clock to nowhere",
    ["- purchase: { as: p1, amount: 10.00 }", "- advance: { times: 2 }"],
    /step 1 \(advance\), advance: must have exactly one of by and to/u,
  ],
  ["a key twice", ["title: A purchase", "title: A\ntitle: B"], /a-purchase\.yaml: Map keys must be unique/u],
])("%s is refused with file, step and field", (_what, [from = "", to = ""], message) => {
  const result = read(good.replace(from, to));
  expect(result.ok ? "" : result.reason.join("\n")).toMatch(message);
});

test("every file can be read, its names are used before they are repeated, and both modes are covered", async () => {
  const scenarios = await loadScenarios();
  expect(scenarios.length).toBeGreaterThanOrEqual(48);
  const repeatedTooEarly = scenarios.flatMap(({ name, steps }) =>
    steps.flatMap(({ repeat }, place) => {
      const sent = steps
        .slice(0, place)
        .flatMap(({ purchase, increment, advise, clear, refund, reverse }) =>
          [purchase, increment, advise, clear, refund, reverse].map((each) => each?.as),
        );
      return repeat === undefined || sent.includes(repeat.message) ? [] : [`${name}: ${repeat.message}`];
    }),
  );
  expect(repeatedTooEarly).toEqual([]);
  expect(scenarios.filter(({ modes }) => modes.includes("credit")).length).toBeGreaterThanOrEqual(45);
  expect(scenarios.filter(({ modes }) => modes.includes("authorization")).length).toBeGreaterThanOrEqual(45);
});

test("what moves time or settings is known before it is played", async () => {
  const scenarios = new Map((await loadScenarios()).map((scenario) => [scenario.name, scenario]));
  const of = (name: string) => {
    const scenario = scenarios.get(name);
    if (scenario === undefined) throw new Error(`there is no ${name}`);
    return [movesClock(scenario), ...freshMerchantNeedsOf(scenario)];
  };
  expect(of("purchase-approved")).toEqual([false]);
  expect(of("two-cards-one-cardholder")).toEqual([false]);
  expect(of("hold-expires")).toEqual([true]);
  expect(of("merchant-declines")).toEqual([false, "directs_server"]);
  expect(of("reserve-empty")).toEqual([false, "exact_reserve"]);
  expect(of("restart-keeps-holds")).toEqual([true, "restarts_platform"]);
  expect(of("reserve-withdrawal")).toEqual([false, "acts_as_operator"]);
  expect(of("settlement-day")).toEqual([true, "acts_as_operator"]);
  expect(of("stand-in-by-policy")).toEqual([expect.any(Boolean), "changes_settings", "directs_server"]);
});
