import type { Delivery } from "./delivery.ts";
import { type JsonToken, jsonTokens, type RawMember, rawMembersOf } from "./json-tokens.ts";
import type { Mutation } from "./mutation.ts";
import type { Random } from "./random.ts";

/** Changes that keep the body JSON, such as somebody would try who knows how V1 signs. */

function textChange(
  name: string,
  change: (text: string, random: Random) => string | null,
  v1?: "accepted" | "refused",
): Mutation {
  const apply: Mutation["apply"] = (delivery, { random }) => {
    const text = delivery.body.toString("utf8");
    const changed = isUtf8(delivery, text) ? change(text, random) : null;
    return changed === null || changed === text ? null : { ...delivery, body: Buffer.from(changed) };
  };
  return v1 === undefined ? { name, apply } : { name, apply, v1 };
}

/** After a change of bytes the body may be no text any more. */
function isUtf8({ body }: Delivery, text: string): boolean {
  return Buffer.from(text).equals(body);
}

/** Changes one of the tokens that are wanted. */
function tokenChange(
  text: string,
  random: Random,
  wanted: (token: JsonToken) => boolean,
  change: (token: string) => string,
): string | null {
  const tokens = jsonTokens(text).filter(wanted);
  const token = tokens[random.int(tokens.length)];
  if (token === undefined) return null;
  return text.slice(0, token.at) + change(token.text) + text.slice(token.at + token.text.length);
}

/** Writes the members of `data` anew, in their raw texts. */
function dataChange(
  name: string,
  change: (members: readonly RawMember[], random: Random) => readonly string[] | null,
  v1?: "accepted" | "refused",
): Mutation {
  const changeText = (text: string, random: Random): string | null => {
    const dataText = memberTexts(text)?.find(({ key }) => key === "data")?.valueText;
    const members = dataText === undefined ? null : memberTexts(dataText);
    const changed = members === null ? null : change(members, random);
    if (dataText === undefined || changed === null) return null;
    return text.replace(dataText, () => `{${changed.join(",")}}`);
  };
  return textChange(name, changeText, v1);
}

/** Null for what another change has made something else than an object of. */
function memberTexts(text: string): readonly RawMember[] | null {
  const known = knownMembers.get(text);
  if (known !== undefined) return known;
  const members = isObject(text) ? rawMembersOf(text) : null;
  if (knownMembers.size < knownMax) knownMembers.set(text, members);
  return members;
}

/** Of the genuine bodies, which are changed again and again: they are among the first that are looked at. */
const knownMembers = new Map<string, readonly RawMember[] | null>();
const knownMax = 2_000;

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const written = ({ keyText, valueText }: RawMember): string => `${keyText}:${valueText}`;
const isNumber = ({ text, depth }: JsonToken): boolean => depth > 1 && /^-?\d/u.test(text);
const isString = ({ text }: JsonToken): boolean => text.startsWith('"') && text.length > 2;

function shuffled<Item>(items: readonly Item[], random: Random): readonly Item[] {
  const left = [...items];
  return items.flatMap(() => left.splice(random.int(left.length), 1));
}

function oneChanged(
  members: readonly RawMember[],
  random: Random,
  change: (member: RawMember) => string | null,
): readonly string[] | null {
  const at = random.int(Math.max(1, members.length));
  const member = members[at];
  const changed = member === undefined ? null : change(member);
  return changed === null ? null : members.map((each, index) => (index === at ? changed : written(each)));
}

/** Every UTF-16 unit of a string as an escape; null where there is nothing to escape or something is escaped already. */
function allEscaped(string: string): string | null {
  const units = string.slice(1, -1).split("");
  if (units.length === 0 || units.includes("\\")) return null;
  return `"${units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")}"`;
}

const equivalences: readonly Mutation[] = [
  dataChange(
    "the members of data in another order",
    (members, random) => shuffled(members.map(written), random),
    "accepted",
  ),
  dataChange(
    "blanks around the members of data",
    (members, random) => members.map((member) => `${random.pick([" ", "\n\t", "\r\n"])}${written(member)} `),
    "accepted",
  ),
  dataChange(
    "a text of data with escapes that it need not have",
    (members, random) =>
      oneChanged(members, random, ({ keyText, valueText }) => {
        const text = valueText.startsWith('"') ? allEscaped(valueText) : null;
        return text === null ? null : `${keyText}:${text}`;
      }),
    "accepted",
  ),
  dataChange(
    "a key of data with escapes that it need not have",
    (members, random) =>
      oneChanged(members, random, ({ keyText, valueText }) => {
        const text = allEscaped(keyText);
        return text === null ? null : `${text}:${valueText}`;
      }),
    "accepted",
  ),
  dataChange(
    "null members left out",
    (members) => members.filter(({ valueText }) => valueText !== "null").map(written),
    "accepted",
  ),
  dataChange("a member more that is null", (members) => [...members.map(written), '"a member more":null'], "accepted"),
  dataChange(
    "a value as the text that it is written with",
    (members, random) =>
      oneChanged(members, random, ({ keyText, valueText }) =>
        valueText.startsWith('"') || valueText === "null" ? null : `${keyText}:${JSON.stringify(valueText)}`,
      ),
    "accepted",
  ),
  dataChange("the next member put into a text with & and =", joinedToOne, "accepted"),
  textChange(
    "another action",
    (text) => text.replace(/"action"( ?: ?)"(?:Auth|Consumption|Card_update)"/u, '"action"$1"Reverse"'),
    "accepted",
  ),
  textChange("another id", (text) => text.replace(/"id"( ?: ?)"push_\d+"/u, '"id"$1"push_0"'), "accepted"),
  textChange("an unknown member beside data", (text) => text.replace("{", '{"unknown":[{}],'), "accepted"),
];

/** `"a":"x","b":"y"` as `"a":"x&b=y"`: alike only where nothing sorts between the two, appId and timestamp included. */
function joinedToOne(members: readonly RawMember[], random: Random): readonly string[] | null {
  const texts = members.flatMap(({ key, valueText }) => {
    const value: unknown = JSON.parse(valueText);
    return value === null ? [] : [{ key, text: typeof value === "string" ? value : valueText }];
  });
  const sorted = [...texts, { key: "appId", text: "" }, { key: "timestamp", text: "" }].toSorted((a, b) =>
    Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)),
  );
  const at = random.int(sorted.length - 1);
  const [first, second] = [sorted[at], sorted[at + 1]];
  const own = (key: string | undefined): boolean => texts.some((each) => each.key === key);
  if (first === undefined || second === undefined || !own(first.key) || !own(second.key)) return null;
  const joined = `${JSON.stringify(first.key)}:${JSON.stringify(`${first.text}&${second.key}=${second.text}`)}`;
  const rest = members.filter(({ key }) => key !== first.key && key !== second.key);
  return [...rest.map(written), joined];
}

const attacks: readonly Mutation[] = [
  dataChange(
    "a key of data twice",
    (members, random) => {
      const member = members[random.int(Math.max(1, members.length))];
      const again =
        member === undefined ? null : `${member.keyText}:${random.pick([member.valueText, '"x"', "null", "0"])}`;
      return again === null
        ? null
        : random.pick([
            [again, ...members.map(written)],
            [...members.map(written), again],
          ]);
    },
    "refused",
  ),
  dataChange(
    "a key of data twice, once escaped",
    (members, random) => {
      const member = members[random.int(Math.max(1, members.length))];
      const key = member === undefined ? null : allEscaped(member.keyText);
      return key === null
        ? null
        : random.pick([
            [`${key}:1`, ...members.map(written)],
            [...members.map(written), `${key}:1`],
          ]);
    },
    "refused",
  ),
  textChange(
    "data, id or action twice",
    (text, random) => text.replace("{", `{${random.pick(['"data":{}', '"action":"Auth"', '"id":"2"'])},`),
    "refused",
  ),
  textChange(
    "data of a body inside data",
    (text) => text.replace(/"data"( ?: ?)\{/u, '"data"$1{"data":{},'),
    "refused",
  ),
  dataChange(
    "a member named like one of the signature's own",
    (members, random) => [...members.map(written), random.pick(['"appId":null', '"timestamp":"1716307200000"'])],
    "refused",
  ),
  dataChange("a member more", (members) => [...members.map(written), '"a member more":""'], "refused"),
  dataChange("a member less", (members, random) => {
    const gone = random.int(Math.max(1, members.length));
    return members[gone] === undefined ? null : members.filter((_, at) => at !== gone).map(written);
  }),
  dataChange("a value of another member", (members, random) => {
    const from = members[random.int(Math.max(1, members.length))]?.valueText ?? "0";
    return oneChanged(members, random, ({ keyText }) => `${keyText}:${from}`);
  }),
  textChange(
    "a number in another form",
    (text, random) =>
      tokenChange(text, random, isNumber, (number) => {
        const forms = [
          `${number}.0`,
          `${number}e0`,
          `${number}E+00`,
          `0${number}`,
          `+${number}`,
          `${number}0`,
          `-${number}`,
        ];
        return forms[random.int(forms.length)] ?? number;
      }),
    "refused",
  ),
  textChange("a word in capitals", (text, random) =>
    tokenChange(
      text,
      random,
      (token) => /^[a-z]+$/u.test(token.text),
      (word) => word.toUpperCase(),
    ),
  ),
  textChange("another word", (text, random) =>
    tokenChange(
      text,
      random,
      (token) => /^[a-z]+$/u.test(token.text),
      () => random.pick(["true", "false", "null", "NaN"]),
    ),
  ),
  textChange("a nested text with escapes that it need not have", (text, random) =>
    tokenChange(
      text,
      random,
      (token) => isString(token) && token.depth > 2,
      (string) => allEscaped(string) ?? string,
    ),
  ),
  textChange("a text with escapes", (text, random) =>
    tokenChange(text, random, isString, (string) => allEscaped(string) ?? string),
  ),
  textChange("a blank somewhere", (text, random) => {
    const at = random.int(text.length + 1);
    return text.slice(0, at) + random.pick([" ", "\n", "\t", "\u00a0", "\ufeff", "\u0000"]) + text.slice(at);
  }),
  textChange("a blank between two tokens", (text, random) =>
    tokenChange(
      text,
      random,
      ({ text: token }) => /^[{[,:]$/u.test(token),
      (token) => `${token} `,
    ),
  ),
  textChange("nested members in another order", (text) =>
    text.replace(/\{("\w+":[^{}[\],]+),("\w+":[^{}[\],]+)\}/u, "{$2,$1}"),
  ),
  textChange("half a surrogate pair in place of U+FFFD", (text, random) =>
    text.replace("\ufffd", random.pick(["\\ud800", "\\uDFFF"])),
  ),
  {
    name: "a byte that is not UTF-8 in place of U+FFFD",
    apply: (delivery) => {
      const at = delivery.body.indexOf("\ufffd");
      const { body } = delivery;
      return at < 0
        ? null
        : { ...delivery, body: Buffer.concat([body.subarray(0, at), Buffer.of(0xff), body.subarray(at + 3)]) };
    },
    v1: "refused",
  },
  textChange("a letter in its decomposed form", (text) => text.normalize("NFD")),
  textChange("a byte order mark", (text) => `\ufeff${text}`),
  textChange(
    "a comma too many",
    (text, random) =>
      tokenChange(
        text,
        random,
        ({ text: token }) => /^[}\],]$/u.test(token),
        (token) => `,${token}`,
      ),
    "refused",
  ),
];

export const mutationsOfJson: readonly Mutation[] = [...equivalences, ...attacks];
