/** Numbers as they were written: what a JavaScript number cannot keep is refused, never changed. */

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** Whether the number is exactly the one that was written, in whatever notation. */
export function keepsDigits(written: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  if (/^0[ox]/i.test(written)) return Number.isSafeInteger(value);
  const [was, is] = [decimal(written), decimal(String(value))];
  return was !== null && was === is;
}

/** Whether a number would be sent as it was written, digit by digit. */
export function sameNotation(written: string, value: number): boolean {
  return String(value) === written;
}

/** What to say where a number cannot be kept. */
export function lostDigits(written: string, value: number): string {
  return Number.isFinite(value)
    ? `${written} would become ${value}: it has more digits than a number keeps (quote it to keep it as text: "${written}")`
    : `${written} is not a number in JSON (quote it to keep it as text: "${written}")`;
}

/**
 * A decimal in one form: sign, digits without leading or trailing zeros, exponent of the last digit. Null if it is not a
 * decimal.
 */
function decimal(text: string): string | null {
  const [, sign, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  if (sign === undefined || `${whole}${fraction}` === '') return null;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  if (kept === '') return '0';
  return `${sign === '-' ? '-' : ''}${kept}e${Number(exponent) - fraction.length + digits.length - kept.length}`;
}
