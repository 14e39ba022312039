/** The check digit of ISO/IEC 7812-1 annex B (Luhn, "modulus 10") that completes a card number. `digits` is the number without it. */
export function luhnCheckDigit(digits: string): string {
  return String((10 - (luhnSum(digits, 1) % 10)) % 10);
}

/** Whether the last digit of `digits` is the check digit of those before it. Text with anything but digits is not. */
export function hasLuhnCheckDigit(digits: string): boolean {
  return /^[0-9]{2,}$/u.test(digits) && luhnSum(digits, 0) % 10 === 0;
}

/** `offset` is 1 when the check digit is still missing: then the rightmost digit is one that is doubled. */
function luhnSum(digits: string, offset: 0 | 1): number {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits.charAt(digits.length - 1 - place));
    const weighted = (place + offset) % 2 === 1 ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum;
}
