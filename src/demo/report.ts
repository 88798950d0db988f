/** The demo's closing table and its one line of JSON. Pure. */
import stringWidth from 'string-width';
import type { Outcome, RolloutType } from '../model/words.js';
import type { Platform } from './cloud.js';

export interface Played {
  platform: Platform;
  title: string;
  strategy: RolloutType;
  outcome: Outcome | null;
  reason: string | null;
  seconds: number;
  requests: number;
  failed: number;
  /** From the first bad answer to weight 0; null if nothing was rolled back. */
  detectSeconds: number | null;
  liveVersion: string | null;
}

const HEAD = ['rollout', 'outcome', 'seconds', 'requests', 'failed', 'first bad answer to weight 0', 'live version'];

export function table(played: Played[]): string[] {
  const rows = played.map((each) => [
    each.title,
    each.outcome ?? 'did not end',
    each.seconds.toFixed(1),
    String(each.requests),
    String(each.failed),
    each.detectSeconds === null ? '–' : `${each.detectSeconds.toFixed(1)} s`,
    each.liveVersion ?? '–',
  ]);
  const widths = HEAD.map((head, column) =>
    Math.max(stringWidth(head), ...rows.map((row) => stringWidth(row[column] ?? ''))),
  );
  const line = (row: string[]) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - stringWidth(cell)))
      .join('  ')
      .trimEnd();
  return [line(HEAD), ...rows.map(line)];
}

export function resultLine(played: Played[], ok: boolean): string {
  const rollouts = played.map(
    ({ platform, strategy, outcome, seconds, requests, failed, detectSeconds, liveVersion }) => ({
      platform,
      strategy,
      outcome,
      seconds: round(seconds),
      requests,
      failed,
      detectSeconds: detectSeconds === null ? null : round(detectSeconds),
      liveVersion,
    }),
  );
  return JSON.stringify({ rollouts, ok });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
