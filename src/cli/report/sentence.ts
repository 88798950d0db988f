/** What happened, in a headline and in one sentence with the numbers. Pure. */
import { type Counts, type Pair, probeCalls } from '../../model/counts.js';
import { evidence as evidenceOf, grouped } from '../../model/numbers.js';
import { shortWord, trafficWords } from '../../model/rollout/words.js';
import type { RolloutView, VerdictView } from '../../model/view.js';
import { percent } from '../render/words.js';

/** `Rolled back at 10 %`. */
export function headline(view: RolloutView): string {
  const word = shortWord(view);
  const at = lastWeight(view);
  const title = word.charAt(0).toUpperCase() + word.slice(1);
  return view.outcome === 'succeeded' || at === null ? title : `${title} at ${at} %`;
}

/** Where the traffic is now, or that nobody has looked. */
export function traffic(view: RolloutView): string {
  const words = trafficWords(view);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/**
 * `0.9 % of 4,120 user requests failed, compared with 0.1 % of 37,080: 9 times the errors, evidence 1 : 2,400 (unhealthy at
 * 1 : 100)`.
 */
export function comparison(verdict: VerdictView): string {
  const whose = verdict.counted === 'probes' ? 'probe calls' : 'user requests';
  const evidence = `evidence ${evidenceOf(verdict)}`;
  if (verdict.candidate.requests === 0) {
    const none = verdict.counted === 'probes' ? 'No probe calls' : 'No user requests';
    return `${none} to the candidate were counted; ${evidence}.`;
  }
  return `${compared(verdict, whose)}, ${evidence}.`;
}

/** The same of our own calls, where users are counted beside them. Null: there were none. */
export function probed(verdict: VerdictView): string | null {
  const probes = probeCalls(verdict);
  return probes === null || probes.candidate.requests === 0 ? null : `${compared(probes, 'probe calls')}.`;
}

function compared({ candidate, stable }: Pair, whose: string): string {
  const failed = `${percent(candidate.errors, candidate.requests)} of ${grouped(candidate.requests)} ${whose} failed`;
  if (stable.requests === 0) return `${failed}; there was nothing to compare with`;
  const against = `compared with ${percent(stable.errors, stable.requests)} of ${grouped(stable.requests)}`;
  return `${failed}, ${against}: ${times(candidate, stable)}`;
}

function times(candidate: Counts, stable: Counts): string {
  if (candidate.errors === 0) return stable.errors === 0 ? 'no errors' : 'fewer errors';
  if (stable.errors === 0) return 'errors that the stable release does not have';
  const ratio = candidate.errors / candidate.requests / (stable.errors / stable.requests);
  if (ratio < 0.95) return 'fewer errors';
  if (ratio < 1.05) return 'as many errors';
  return `${tidy(ratio)} times the errors`;
}

/** Numbers stay with their signs at the end of a line: `1 : 100`, `10 %`. */
export function unbroken(text: string): string {
  return text.replace(/(?<=\d) (?=[:%])|(?<=\d :) (?=\d)/g, '\u00a0');
}

/** With one decimal below ten, where it says something. */
function tidy(ratio: number): string {
  return ratio < 9.95 ? String(Number(ratio.toFixed(1))) : grouped(ratio);
}

/** The candidate's weight while it was last judged: after a rollback it is 0, and that says nothing. */
function lastWeight(view: RolloutView): number | null {
  if (view.outcome === null) return view.weight === 0 ? null : view.weight;
  const failed = view.stages.find(({ state }) => state === 'failed');
  return failed?.weight ?? view.series.at(-1)?.weight ?? null;
}
