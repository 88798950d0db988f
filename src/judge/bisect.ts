/** More would change nothing: halving a double from 1 to the smallest number takes fewer. */
const ROUNDS = 1_100;

/**
 * Where a predicate turns from true (at `low`) to false (at `high`), to the last bit of a double.
 * It is not asked at the ends.
 */
export function bisect(low: number, high: number, holds: (at: number) => boolean): number {
  let from = low;
  let to = high;
  for (let round = 0; round < ROUNDS; round += 1) {
    const middle = from + (to - from) / 2;
    if (middle <= from || middle >= to) break;
    if (holds(middle)) from = middle;
    else to = middle;
  }
  return from + (to - from) / 2;
}
