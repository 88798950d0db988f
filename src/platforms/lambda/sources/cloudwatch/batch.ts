/**
 * GetMetricData for many rollouts at once: a call takes 500 queries ("GetMetricData"), and calls are what an account's
 * quota counts. What is asked within a moment goes out together.
 */
import type { GetMetricDataCommandInput, GetMetricDataCommandOutput, MetricStat } from '@aws-sdk/client-cloudwatch';
import { SluiceError } from '../../../../model/errors.js';
import { cancelled, hasCode } from '../../../shared/failures.js';

/** Queries of one call. */
export const MOST_QUERIES = 500;
/** How long a question waits for others, in ms. */
const GATHER = 50;

/** One watcher's question: statistics by a name of its own, from `start` until `end` (ms since the epoch, exclusive). */
export interface Question {
  stats: Record<string, MetricStat>;
  start: number;
  end: number;
}

/** By the question's names: values by the begin of their period, in ms since the epoch. No data is absent. */
export type MetricValues = Map<string, Map<number, number>>;

type Send = (input: GetMetricDataCommandInput, signal: AbortSignal) => Promise<GetMetricDataCommandOutput>;

interface Waiting {
  question: Question;
  signal: AbortSignal;
  resolve(values: MetricValues): void;
  reject(error: unknown): void;
}

export class MetricBatch {
  /** Calls made so far. */
  calls = 0;
  private waiting: Waiting[] = [];

  constructor(private readonly send: Send) {}

  /** Errors: what CloudWatch refuses, SLUICE_PROVIDER for an answer in part; an AbortError at once when cancelled. */
  async ask(question: Question, signal: AbortSignal): Promise<MetricValues> {
    if (signal.aborted) throw cancelled();
    let leave = () => {};
    const answer = new Promise<MetricValues>((resolve, reject) => {
      leave = () => reject(cancelled());
      this.waiting.push({ question, signal, resolve, reject });
    });
    signal.addEventListener('abort', leave, { once: true });
    if (this.waiting.length === 1) setTimeout(() => this.flush(), GATHER);
    try {
      return await answer;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  private flush(): void {
    const all = this.waiting.filter(({ signal }) => !signal.aborted);
    this.waiting = [];
    for (const group of grouped(all)) void this.answer(group);
  }

  private async answer(group: Waiting[]): Promise<void> {
    // The call is shared, so only the last one who leaves ends it.
    const stop = new AbortController();
    const leave = () => {
      if (group.every(({ signal }) => signal.aborted)) stop.abort();
    };
    for (const { signal } of group) signal.addEventListener('abort', leave, { once: true });
    try {
      const questions = group.map(({ question }) => question);
      const values = await this.read(questions, stop.signal);
      for (const [i, one] of group.entries()) one.resolve(values[i] as MetricValues);
    } catch (error) {
      if (group.length > 1 && hasCode(error, 'SLUICE_REFUSED')) {
        // One bad query fails the whole call; the others must not become blind by it.
        await Promise.all(group.map((one) => this.answer([one])));
      } else for (const one of group) one.reject(error);
    } finally {
      for (const { signal } of group) signal.removeEventListener('abort', leave);
    }
  }

  /** One call, and its further pages. */
  private async read(questions: Question[], signal: AbortSignal): Promise<MetricValues[]> {
    const asked = questions.flatMap((question, at) =>
      Object.entries(question.stats).map(([name, stat]) => ({ at, name, stat })),
    );
    const input: GetMetricDataCommandInput = {
      MetricDataQueries: asked.map(({ stat }, i) => ({ Id: `q${i}`, MetricStat: stat, ReturnData: true })),
      StartTime: new Date(Math.min(...questions.map(({ start }) => start))),
      EndTime: new Date(Math.max(...questions.map(({ end }) => end))),
    };
    const answers: MetricValues[] = questions.map(() => new Map());
    for (let token: string | undefined; ; ) {
      this.calls += 1;
      const page = await this.send({ ...input, NextToken: token }, signal);
      token = page.NextToken;
      for (const result of page.MetricDataResults ?? []) {
        refuseBlind(result.StatusCode, token !== undefined, result.Messages?.[0]?.Value);
        const query = asked[Number(result.Id?.slice(1))];
        if (query === undefined) continue;
        const known = answers[query.at]?.get(query.name) ?? new Map<number, number>();
        for (const [i, time] of (result.Timestamps ?? []).entries()) known.set(time.getTime(), result.Values?.[i] ?? 0);
        if (known.size > 0) answers[query.at]?.set(query.name, known);
      }
      if (!token) return answers;
    }
  }
}

function grouped(all: Waiting[]): Waiting[][] {
  const groups: Waiting[][] = [];
  let room = 0;
  for (const one of all) {
    const queries = Object.keys(one.question.stats).length;
    if (queries > room) {
      groups.push([]);
      room = MOST_QUERIES;
    }
    groups.at(-1)?.push(one);
    room -= queries;
  }
  return groups;
}

/** PartialData is normal while there are further pages, and a half-read count at the end of them. */
function refuseBlind(status: string | undefined, more: boolean, why = 'no reason given'): void {
  if (status === 'Forbidden') {
    throw new SluiceError('SLUICE_PERMISSION', `cloudwatch:GetMetricData is not allowed: ${why}`);
  }
  if (status === 'InternalError' || (status === 'PartialData' && !more)) {
    throw new SluiceError('SLUICE_PROVIDER', `CloudWatch answered ${status}: ${why}`);
  }
}
