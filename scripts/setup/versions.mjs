/** The oldest versions that work, and the comparison. */

/** `temporal` must agree with what emulators/tools.ts accepts. */
export const NEEDS = { node: [20, 19], python: [3, 10], temporal: [1, 5] };

/** Whether the first `a.b` in `text` is `least` or newer; false when there is none. */
export function atLeast(text, least) {
  const found = /(\d+)\.(\d+)/.exec(text);
  if (found === null) return false;
  const [major, minor] = [Number(found[1]), Number(found[2])];
  return major > least[0] || (major === least[0] && minor >= least[1]);
}
