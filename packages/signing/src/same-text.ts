import { timingSafeEqual } from "node:crypto";

/** Whether two texts are equal, in a time that tells nothing about where they differ; their length is no secret. */
export function sameText({ expected, given }: { readonly expected: string; readonly given: string }): boolean {
  const expectedBytes = Buffer.from(expected);
  const givenBytes = Buffer.from(given);
  return expectedBytes.length === givenBytes.length && timingSafeEqual(expectedBytes, givenBytes);
}
