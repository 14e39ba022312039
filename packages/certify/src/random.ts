import { createHash } from "node:crypto";

/** Numbers that follow from the run's seed and a label alone. */
export interface Random {
  /** From `from` to `to`, both included. */
  between(from: number, to: number): number;
  /** From 0 (included) to 1 (excluded). */
  share(): number;
}

/**
 * A source of its own for each label: what one check asks does not depend on which others ran before it, so `only` repeats a check
 * of a whole run exactly.
 */
export function randomOf(seed: number, label: string): Random {
  let drawn = 0;
  const share = (): number => {
    drawn += 1;
    return digestOf(`${seed}/${label}/${drawn}`).readUIntBE(0, 6) / 2 ** 48;
  };
  return { share, between: (from, to) => from + Math.floor(share() * (to - from + 1)) };
}

export function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

export function randomBytesOf(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.between(0, 255)));
}
