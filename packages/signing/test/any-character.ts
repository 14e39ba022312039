import * as fc from "fast-check";

const surrogatesFrom = 0xd800;
const surrogates = 0x800;
const codePointMax = 0x10ffff;

/**
 * Any character there is, half of them ASCII so that JSON's own are frequent. fast-check's unit `binary` draws the same
 * but takes 0.6 s of processor time to set up in every test file.
 */
export const anyCharacter: fc.Arbitrary<string> = fc.oneof(
  fc.integer({ min: 0, max: 0x7f }).map((code) => String.fromCodePoint(code)),
  fc
    .integer({ min: 0x80, max: codePointMax - surrogates })
    .map((code) => String.fromCodePoint(code < surrogatesFrom ? code : code + surrogates)),
);
