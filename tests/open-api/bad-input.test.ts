import { type EndpointDefinition, endpoints, errorByCode, jsonSchemaOf } from "@cardwright/contract";
import { type ApiAnswer, startApi, type TestApi, type TestCredential, textAt } from "@cardwright/testing/api";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

let api: TestApi;
let credit: TestCredential;
let authorization: TestCredential;
let cardholderNo: string;
let packageNo: string;
let cardBinNo: string;

beforeAll(async () => {
  api = await startApi();
  credit = await api.newMerchant("CREDIT_EXTENSION");
  authorization = await api.newMerchant("AUTHORIZATION");
  cardBinNo = await api.newBin();
  packageNo = await api.newPackage(cardBinNo);
  cardholderNo = await api.approvedCardholder(credit);
});
afterAll(() => api.close());

/** Whatever was sent, nothing of it is a bug: the log of unexpected failures stays empty. */
afterEach(() => {
  const bug = api.logLines.find((line) => line.includes("a call failed"));
  if (bug !== undefined) throw new Error(`the log says ${bug}`);
});

const callerOf = (endpoint: EndpointDefinition) => (endpoint.mode === "AUTHORIZATION" ? authorization : credit);
const pathOf = (endpoint: EndpointDefinition) => endpoint.path.slice("/open-api/v1".length);
const said = ({ code, msg }: ApiAnswer) => `${code} ${msg}`;

/** The definitions as data: their types are one union, which tests of all of them have no use for. */
const all: readonly EndpointDefinition[] = endpoints;
const withBody = all.filter(({ input }) => input === "body").map((endpoint) => [endpoint.id, endpoint] as const);

/** A body that is right as far as its shape goes. */
function goodBody(endpoint: EndpointDefinition): Record<string, unknown> {
  const known: Record<string, unknown> = {
    cardholder_no: cardholderNo,
    package_no: packageNo,
    card_bin_no: cardBinNo,
    start_time: "2026-05-22",
    end_time: "2026-05-22",
    page: 0,
    size: 10,
    type: endpoint.id === "account.transfer" ? "In" : "Virtual",
    status: "Frozen",
    card_type: "Virtual",
    balance: "1.00",
    card_last_no: "1234",
  };
  const names = Object.keys(jsonSchemaOf(endpoint.request).properties ?? {});
  const other = callerOf(endpoint) === credit ? "card_bin_no" : "package_no";
  const wanted = names.filter((name) => name !== "address_info" && name !== other);
  return Object.fromEntries(wanted.map((name) => [name, known[name] ?? "some text"]));
}

describe.each(withBody)("%s", (_id, endpoint) => {
  const post = (body: string | Uint8Array | object) => api.post(callerOf(endpoint), pathOf(endpoint), body);

  test("a field of another JSON type is 4010 with its name", async () => {
    const { properties = {} } = jsonSchemaOf(endpoint.request);
    const good = goodBody(endpoint);
    for (const name of Object.keys(good)) {
      const isNumber = properties[name]?.type === "integer";
      for (const wrong of [isNumber ? "1" : 1, true, [], {}, [good[name]]]) {
        expect(said(await post({ ...good, [name]: wrong }))).toBe(`4010 ${name} parameter of the wrong type`);
      }
    }
  });

  test("a required field that is missing, null, empty or blank is 1004 with its name", async () => {
    const good = goodBody(endpoint);
    for (const name of jsonSchemaOf(endpoint.request).required ?? []) {
      for (const wrong of [undefined, null, "", " ", "\t\n", "\u3000"]) {
        // An empty text of an amount is a text that is no amount.
        const isNoAmount = name === "balance" && typeof wrong === "string";
        const expected = isNoAmount ? "3003 balance amount invalid" : `1004 ${name} invalid parameter`;
        expect(said(await post({ ...good, [name]: wrong }))).toBe(expected);
      }
    }
  });

  test("a text beyond its length is 1004 with its name", async () => {
    const { properties = {} } = jsonSchemaOf(endpoint.request);
    const good = goodBody(endpoint);
    for (const [name, { maxLength }] of Object.entries(properties)) {
      if (maxLength === undefined) continue;
      expect(said(await post({ ...good, [name]: "x".repeat(maxLength + 1) }))).toBe(`1004 ${name} invalid parameter`);
    }
  });

  test("of several wrong fields the first of the contract's order is told", async () => {
    const names = Object.keys(goodBody(endpoint));
    const wrong = Object.fromEntries(names.toReversed().map((name) => [name, true]));
    expect(said(await post(wrong))).toBe(`4010 ${names[0]} parameter of the wrong type`);
  });

  test.each([
    ["nothing", ""],
    ["white space", " \n"],
    ["half an object", '{"page":'],
    ["an array", "[]"],
    ["a text", '"body"'],
    ["a number", "1"],
    ["null", "null"],
    ["NaN", '{"page":NaN}'],
    ["a trailing comma", '{"page":0,}'],
    ["a comment", '{/* */"page":0}'],
    ["single quotes", "{'page':0}"],
    ["two objects", "{}{}"],
    ["XML", "<xml/>"],
    ["a form", "page=0&size=10"],
    ["invalid UTF-8", Uint8Array.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ["UTF-16", Buffer.from("{}", "utf16le")],
    ["a surrogate half in UTF-8", Uint8Array.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
    ["30,000 open brackets", "[".repeat(30_000)],
    ["30,000 nested arrays", `${"[".repeat(30_000)}${"]".repeat(30_000)}`],
    ["10,000 nested objects", `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`],
  ])("%s is 1004", async (_what, body) => {
    expect(said(await post(body))).toBe("1004 body invalid parameter");
  });

  test("a key that comes twice is 1004 with its name", async () => {
    const good = goodBody(endpoint);
    const [name = ""] = Object.keys(good);
    const text = JSON.stringify(good).replace("{", `{"${name}":"first",`);
    expect(said(await post(text))).toBe(`1004 ${name} invalid parameter`);
    expect(said(await post('{"unknown":{"deep":[{"twice":1,"twice":1}]}}'))).toBe(
      "1004 unknown.deep.twice invalid parameter",
    );
    expect(said(await post('{"\\u0061":1,"a":2}'))).toBe("1004 a invalid parameter");
  });

  test("a body that pollutes prototypes is plain data, and changes nothing", async () => {
    const good = JSON.stringify(goodBody(endpoint));
    const plain = said(await post(goodBody(endpoint)));
    for (const extra of [
      '"__proto__":{"page":"polluted","cardholder_no":7}',
      '"constructor":{"prototype":{"page":"polluted"}}',
      '"prototype":1,"toString":1,"hasOwnProperty":1,"valueOf":null',
    ]) {
      // The text of a first success may be that of a repeat; the outcome is the same.
      expect(said(await post(good.replace("{", `{${extra},`)))).toBe(plain);
    }
    const none: Record<string, unknown> = {};
    expect(none["page"]).toBeUndefined();
    expect(Object.prototype).not.toHaveProperty("polluted");
  });

  test("a text that no database can hold is 1004", async () => {
    const [name = ""] = Object.keys(goodBody(endpoint));
    for (const bad of ["\\u0000", "a\\u0000b", "\\ud800", "\\udc00\\ud800"]) {
      expect((await post(`{"${name}":"${bad}"}`)).code).toBe(1004);
    }
  });
});

test("an amount is a text above zero with at most two decimals, and nothing else is", async () => {
  const transfer = (balance: unknown) =>
    api.post(credit, "/account/transfer", {
      cardholder_no: cardholderNo,
      transfer_unique_no: `amount ${String(balance)}`.slice(0, 60),
      type: "In",
      balance,
    });
  for (const wrong of [
    "0",
    "0.00",
    "-1",
    "-0.01",
    "+1",
    "1.001",
    "1.000",
    "1.",
    ".5",
    "01",
    "1e2",
    "1E400",
    "0x10",
    "1,000.00",
    "1 000",
    "Infinity",
    "NaN",
    "٣",
    "１",
    "1\n",
    " 1",
    "9".repeat(13),
    "9".repeat(1_000),
  ]) {
    expect(said(await transfer(wrong))).toBe("3003 balance amount invalid");
  }
  for (const wrong of [1, 1.5, 0, -1, 1e300]) {
    expect(said(await transfer(wrong))).toBe("4010 balance parameter of the wrong type");
  }
  const before = await api.get(credit, `/account/${cardholderNo}/info`);
  expect((await transfer("0.01")).code).toBe(0);
  const after = await api.get(credit, `/account/${cardholderNo}/info`);
  const cents = (answer: ApiAnswer) => Math.round(Number(textAt(answer.data, "list", 0, "balance")) * 100);
  expect(cents(after) - cents(before)).toBe(1);
});

test("the largest amounts are held exactly", async () => {
  const rich = await api.approvedCardholder(credit);
  for (let time = 1; time <= 5; time += 1) {
    const moved = await api.post(credit, "/account/transfer", {
      cardholder_no: rich,
      transfer_unique_no: `largest-${time}`,
      type: "In",
      balance: "999999999999.99",
    });
    const expected = BigInt(time) * 99_999_999_999_999n;
    const cents = String(expected).slice(-2);
    expect(moved.data["after_balance"]).toBe(`${expected / 100n}.${cents}`);
  }
});

describe("card/apply", () => {
  const address = { postal_code: "20001", country: "US", state: "DC", city: "Washington", address_line1: "1 Example" };
  const physical = { ...address, first_name: "Jane", last_name: "Miller", phone_code: "1", phone: "2025550100" };
  const apply = async (changes: object) =>
    said(
      await api.post(credit, "/card/apply", {
        package_no: packageNo,
        cardholder_no: cardholderNo,
        card_unique_no: "bad",
        card_type: "Virtual",
        ...changes,
      }),
    );
  const applyPhysical = (changes: object) =>
    apply({ card_type: "Physical", address_info: { ...physical, ...changes } });

  test("needs the mode's own product number", async () => {
    expect(await apply({ package_no: undefined })).toBe("1004 package_no invalid parameter");
    expect(await apply({ package_no: "" })).toBe("1004 package_no invalid parameter");
    expect(await apply({ package_no: undefined, card_bin_no: cardBinNo })).toBe("1012 mode not supported");
    const other = await api.post(authorization, "/card/apply", {
      cardholder_no: cardholderNo,
      card_unique_no: "bad",
      card_type: "Virtual",
    });
    expect(said(other)).toBe("1004 card_bin_no invalid parameter");
  });

  test("a physical card needs every field of the address but the second line, each told by its dotted path", async () => {
    for (const field of Object.keys(physical)) {
      for (const wrong of [undefined, null, "", " "]) {
        expect(await applyPhysical({ [field]: wrong })).toBe(`1004 address_info.${field} invalid parameter`);
      }
    }
    for (const field of Object.keys(address)) {
      const partial = { ...address, [field]: "" };
      expect(await apply({ address_info: partial })).toBe(`1004 address_info.${field} invalid parameter`);
    }
    expect(await apply({ address_info: {} })).toBe("1004 address_info.postal_code invalid parameter");
    expect(await apply({ address_info: "London" })).toBe("4010 address_info parameter of the wrong type");
    expect(await apply({ address_info: [] })).toBe("4010 address_info parameter of the wrong type");
  });

  test("addresses are in English letters, digits and a few marks, within their lengths", async () => {
    const wrong = {
      "2007": ["Wall & Broad", "a_b", "a@b", "50%", "a\tb", "(x)", "a;b", 'a"b', "a\\b", "a:b", "<b>"],
      "2008": ["Zürich", "北京", "Москва", "a—b", "caf\u00e9", "💳", "a\u200bb", "ａｂｃ"],
      "1004": ["x".repeat(65)],
    };
    for (const [code, texts] of Object.entries(wrong)) {
      for (const city of texts)
        expect(await applyPhysical({ city })).toMatch(new RegExp(`^${code} address_info\\.city `, "u"));
    }
    expect(await applyPhysical({ address_line1: "x".repeat(129) })).toBe(
      "1004 address_info.address_line1 invalid parameter",
    );
    expect(await applyPhysical({ phone: "1".repeat(21) })).toBe("1004 address_info.phone invalid parameter");
    expect(await applyPhysical({ postal_code: "1".repeat(17) })).toBe(
      "1004 address_info.postal_code invalid parameter",
    );
  });

  test("dialling codes, countries and postal codes must exist and fit", async () => {
    for (const phone_code of ["+1", "0", "999", "1a", "00441"]) {
      expect(await applyPhysical({ phone_code })).toBe("1004 address_info.phone_code invalid parameter");
    }
    for (const country of ["us", "USA", "U", "840"]) {
      expect(await applyPhysical({ country })).toBe("1004 address_info.country invalid parameter");
    }
    for (const country of ["ZZ", "CU", "IR", "KP", "SY"]) {
      expect(await applyPhysical({ country })).toBe("2009 address_info.country country not supported");
    }
    for (const [country, postal_code] of [
      ["US", "1234"],
      ["US", "ABCDE"],
      ["CN", "12345"],
      ["GB", "12345"],
      ["DE", "1234"],
      ["SG", "12345"],
      ["JP", "12-34567"],
    ]) {
      expect(await applyPhysical({ country, postal_code })).toBe(
        "2010 address_info.postal_code postal code does not match",
      );
    }
  });
});

describe("path parameters", () => {
  const gets = all.filter(({ input }) => input === "params").map((endpoint) => [endpoint.id, endpoint] as const);
  const odd = [
    "%00",
    "..%2f..%2fetc%2fpasswd",
    "%F0%9F%92%B3",
    "%E2%80%AE",
    "C".repeat(33),
    "C".repeat(5_000),
    "*",
    "__proto__",
    "constructor",
    "'%20OR%201=1--",
    "%2525",
    ":card_no",
    "C1;x=1",
    "C1%3Fx",
  ];
  test.each(gets)("%s: a text that is no number is answered as a number that does not exist", async (_id, endpoint) => {
    const ask = async (text: string) => said(await api.get(credit, pathOf(endpoint).replace(/:[a-z_]+/u, text)));
    const nobody = await ask("X202605220001");
    expect(nobody).not.toMatch(/^(?:0|1001) /u);
    for (const text of odd) expect(await ask(text)).toBe(nobody);
    for (const blank of ["", "%20", "%0a", "%E3%80%80"]) {
      expect(await ask(blank)).toMatch(/^1004 (?:card_no|cardholder_no|consume_no) invalid parameter$/u);
    }
  });
});

test("no JSON that anybody can think of is answered with a system error", { timeout: 60_000 }, async () => {
  const key = fc.oneof(
    fc.constantFrom(
      ...new Set(withBody.flatMap(([, each]) => Object.keys(jsonSchemaOf(each.request).properties ?? {}))),
    ),
    fc.string({ maxLength: 8 }),
  );
  const value = fc.oneof(
    fc.constantFrom("2026-05-22", "Virtual", "Physical", "In", "Frozen", "1.00", cardholderNo, packageNo, cardBinNo),
    fc.integer(),
    fc.double(),
    fc.string({ unit: "binary", maxLength: 80 }),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const body = fc.array(fc.tuple(key, value), { maxLength: 8 }).map(Object.fromEntries<unknown>);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...withBody), body, async ([, endpoint], sent) => {
      const answer = await api.post(callerOf(endpoint), pathOf(endpoint), JSON.stringify(sent));
      expect(answer.status).toBe(200);
      expect(answer.code).not.toBe(1001);
      expect(answer.code === 0 || errorByCode(answer.code) !== undefined).toBe(true);
      expect(answer.text.includes('"data"')).toBe(answer.code === 0);
    }),
    { numRuns: 1_000 },
  );
});

test("no bytes that anybody can send are answered with a system error", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const answer = await api.post(credit, "/card/list", bytes);
      expect([answer.status, answer.code]).toEqual([200, 1004]);
    }),
    { numRuns: 200 },
  );
});
