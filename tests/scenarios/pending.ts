/** Scenarios that are written already and wait for the part of the platform that they show. */
export const pending: readonly string[] = [];
