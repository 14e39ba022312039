import { type Delivery, type HeaderName, headerNames } from "./delivery.ts";
import type { Mutation } from "./mutation.ts";
import type { Random } from "./random.ts";

/** Changes of the bytes of the body, of headers and of time, that know nothing of JSON. */

function bodyChange(name: string, change: (body: Buffer, random: Random) => Buffer): Mutation {
  return {
    name,
    apply: (delivery, { random }) =>
      delivery.body.length < 2 ? null : { ...delivery, body: change(delivery.body, random) },
  };
}

function inserted(body: Buffer, at: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([body.subarray(0, at), bytes, body.subarray(at)]);
}

const ofBody: readonly Mutation[] = [
  bodyChange("a bit of the body flipped", (body, random) => {
    const changed = Buffer.from(body);
    const at = random.int(body.length);
    changed[at] = (body[at] ?? 0) ^ (1 << random.int(8));
    return changed;
  }),
  bodyChange("a byte of the body replaced", (body, random) => {
    const changed = Buffer.from(body);
    changed[random.int(body.length)] = random.int(256);
    return changed;
  }),
  bodyChange("a byte inserted", (body, random) =>
    inserted(body, random.int(body.length + 1), Buffer.of(random.int(256))),
  ),
  bodyChange("a character of JSON inserted", (body, random) =>
    inserted(
      body,
      random.int(body.length + 1),
      Buffer.from(random.pick(['"', "\\", "{", "}", "[", "]", ",", ":", "0", "-"])),
    ),
  ),
  bodyChange("bytes deleted", (body, random) => {
    const at = random.int(body.length);
    return Buffer.concat([body.subarray(0, at), body.subarray(at + 1 + random.int(3))]);
  }),
  bodyChange("a piece doubled", (body, random) => {
    const at = random.int(body.length);
    return inserted(body, at, body.subarray(at, at + 1 + random.int(20)));
  }),
  bodyChange("two bytes exchanged", (body, random) => {
    const changed = Buffer.from(body);
    const [a, b] = [random.int(body.length), random.int(body.length)];
    [changed[a], changed[b]] = [body[b] ?? 0, body[a] ?? 0];
    return changed;
  }),
  { ...bodyChange("the body cut off", (body, random) => body.subarray(0, random.int(body.length - 1))), v1: "refused" },
  bodyChange("the case of a letter changed", (body, random) => {
    const from = random.int(body.length);
    const near = body.subarray(from).findIndex((byte) => /[A-Za-z]/u.test(String.fromCharCode(byte)));
    const at = near < 0 ? undefined : from + near;
    const changed = Buffer.from(body);
    if (at !== undefined) changed[at] = (body[at] ?? 0) ^ 0x20;
    return changed;
  }),
  { ...bodyChange("something behind the body", (body) => Buffer.concat([body, Buffer.from("{}")])), v1: "refused" },
];

function headerChange(
  name: string,
  names: readonly [HeaderName, ...HeaderName[]],
  change: (value: string, random: Random) => string | undefined,
): Mutation {
  return {
    name,
    apply: (delivery, { random }) => {
      const header = random.pick(names);
      const value = delivery.headers[header];
      return value === undefined ? null : withHeader(delivery, header, change(value, random));
    },
  };
}

function withHeader(delivery: Delivery, name: HeaderName, value: string | undefined): Delivery {
  return { ...delivery, headers: { ...delivery.headers, [name]: value } };
}

const ofV1 = ["sign-version", "timestamp", "signature"] as const;

const ofHeaders: readonly Mutation[] = [
  headerChange("a character of a header changed", headerNames, (value, random) => {
    const at = random.int(Math.max(1, value.length));
    return value.slice(0, at) + String.fromCharCode(33 + random.int(94)) + value.slice(at + 1);
  }),
  headerChange("a character of a header left out", headerNames, (value, random) => {
    const at = random.int(Math.max(1, value.length));
    return value.slice(0, at) + value.slice(at + 1);
  }),
  { ...headerChange("a header of V1 that did not come", ofV1, () => undefined), v1: "refused" },
  { ...headerChange("a header of V1 that is empty", ofV1, () => ""), v1: "refused" },
  headerChange("a header that did not come", headerNames, () => undefined),
  headerChange("a header in upper case", headerNames, (value) => value.toUpperCase()),
  headerChange("a header in lower case", headerNames, (value) => value.toLowerCase()),
  { ...headerChange("a blank in front of a header of V1", ofV1, (value) => ` ${value}`), v1: "refused" },
  headerChange("a blank at an end of a header", headerNames, (value, random) =>
    random.pick([` ${value}`, `${value} `]),
  ),
  headerChange(
    "a header given twice",
    headerNames,
    (value, random) => `${value}${random.pick([", ", " ", ","])}${value}`,
  ),
  headerChange("zeros in front of a time", ["timestamp", "webhook-timestamp"], (value) => `0${value}`),
  headerChange("another time", ["timestamp", "webhook-timestamp"], (value, random) =>
    String(Number(value) + 1 + random.int(200_000)),
  ),
  {
    name: "two headers exchanged",
    apply: (delivery, { random }) => {
      const [a, b] = [random.pick(headerNames), random.pick(headerNames)];
      return withHeader(withHeader(delivery, a, delivery.headers[b]), b, delivery.headers[a]);
    },
  },
  {
    name: "a header of another callback",
    apply: (delivery, { random, other }) => {
      const name = random.pick(headerNames);
      return withHeader(delivery, name, other.headers[name]);
    },
  },
  { name: "the body of another callback", apply: (delivery, { other }) => ({ ...delivery, body: other.body }) },
];

/** Five minutes and a second, which is more than the half second on the way. */
const tooFarMs = 301_000;

const ofTime: readonly Mutation[] = [
  {
    name: "played again later",
    apply: (delivery) => ({ ...delivery, nowMs: delivery.nowMs + tooFarMs }),
    v1: "refused",
  },
  { name: "from the future", apply: (delivery) => ({ ...delivery, nowMs: delivery.nowMs - tooFarMs }), v1: "refused" },
];

export const mutationsOfBytes: readonly Mutation[] = [...ofBody, ...ofHeaders, ...ofTime];
