/** Where the rooms get the time from: Unix milliseconds. Production reads the machine's clock, the sandbox one that can be moved. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
