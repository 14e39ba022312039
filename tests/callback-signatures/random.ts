/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** From 0 to `below` - 1. */
  readonly int: (below: number) => number;
  readonly pick: <Item>(items: readonly [Item, ...Item[]]) => Item;
}

/** A 32-bit xorshift: short, and good enough to choose places in a text. */
export function randomOf(seed: number): Random {
  let state = seed | 1;
  const int = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  return { int, pick: (items) => items[int(items.length)] ?? items[0] };
}
