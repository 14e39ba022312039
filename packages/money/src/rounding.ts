/**
 * The quotient rounded to the nearest whole number; a half goes away from zero, so that a charge and its reversal round
 * to the same size: 5/2 is 3, -5/2 is -3. The divisor must be positive.
 */
export function divideHalfUp({ dividend, divisor }: { readonly dividend: bigint; readonly divisor: bigint }): bigint {
  if (divisor <= 0n) throw new RangeError("the divisor must be positive");
  const magnitude = dividend < 0n ? -dividend : dividend;
  const quotient = (2n * magnitude + divisor) / (2n * divisor);
  return dividend < 0n ? -quotient : quotient;
}
