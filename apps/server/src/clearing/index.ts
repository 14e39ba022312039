/** What becomes of a card transaction after its authorization. */
export * from "./presentments.ts";
