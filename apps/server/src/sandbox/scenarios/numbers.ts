/** The numbers behind a scenario's names: which consumption is `p1`, which card is `card`. */
export interface Numbers {
  /** The number of a name, or "" when nothing has it yet. */
  of(alias: string): string;
  /** The name of a number, or the number itself when it has none. */
  nameOf(number: string): string;
  /**
   * Whether the number is that of the name. A name without a number takes one that has no other name: so what the platform makes by
   * itself (reversals, refunds, fees) gets its name where it is first expected.
   */
  is(alias: string, number: string): boolean;
}

export function createNumbers(): Numbers {
  const numbers = new Map<string, string>();
  const names = new Map<string, string>();
  return {
    of: (alias) => numbers.get(alias) ?? "",
    nameOf: (number) => names.get(number) ?? number,
    is: (alias, number) => {
      if (!numbers.has(alias) && !names.has(number) && number !== "") {
        numbers.set(alias, number);
        names.set(number, alias);
      }
      return number !== "" && numbers.get(alias) === number;
    },
  };
}
