/** More parts than any transaction has; a longer list is a mistake of the caller. */
const partsMax = 10_000;

interface Share {
  readonly index: number;
  readonly whole: bigint;
  readonly remainder: bigint;
}

/**
 * Splits `total` (minor units) in proportion to `weights` so that the parts always sum to it. What is left over after
 * rounding down goes, one minor unit each, to the largest fractions, of equal ones to the lower index. A negative total
 * is split like its positive twin. Throws when a weight is negative, all are zero, or there are more than 10,000.
 */
export function allocate(total: bigint, weights: readonly bigint[]): bigint[] {
  const weightsSum = sumOfWeights(weights);
  const magnitude = total < 0n ? -total : total;
  const shares = weights.map((weight, index): Share => {
    const scaled = magnitude * weight;
    return { index, whole: scaled / weightsSum, remainder: scaled % weightsSum };
  });
  const left = magnitude - shares.reduce((sum, share) => sum + share.whole, 0n);
  // Fewer units are left than there are shares, since each share lost less than one.
  const rounded = new Set(shares.toSorted(byRemainder).slice(0, Number(left)));
  const sign = total < 0n ? -1n : 1n;
  return shares.map((share) => sign * (share.whole + (rounded.has(share) ? 1n : 0n)));
}

function sumOfWeights(weights: readonly bigint[]): bigint {
  if (weights.length > partsMax) throw new RangeError(`at most ${partsMax} weights`);
  if (weights.some((weight) => weight < 0n)) throw new RangeError("a weight is negative");
  const sum = weights.reduce((total, weight) => total + weight, 0n);
  if (sum === 0n) throw new RangeError("no weight is above zero");
  return sum;
}

function byRemainder(left: Share, right: Share): number {
  if (left.remainder !== right.remainder) return left.remainder > right.remainder ? -1 : 1;
  return left.index - right.index;
}
