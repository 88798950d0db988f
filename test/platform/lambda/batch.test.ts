import type { GetMetricDataCommandInput, GetMetricDataCommandOutput } from '@aws-sdk/client-cloudwatch';
import { SluiceError } from '../../../src/model/errors.js';
import { MetricBatch, type Question } from '../../../src/platforms/lambda/sources/cloudwatch/batch.js';

const BEGIN = 1_800_000;

/** Each query's value is the number in its metric's name. */
function answer(input: GetMetricDataCommandInput): GetMetricDataCommandOutput {
  return {
    $metadata: {},
    MetricDataResults: (input.MetricDataQueries ?? []).map(({ Id, MetricStat }) => ({
      Id,
      StatusCode: 'Complete',
      Timestamps: [new Date(BEGIN)],
      Values: [Number(MetricStat?.Metric?.MetricName)],
    })),
  };
}

const stat = (name: number | string) => ({ Metric: { MetricName: String(name) }, Period: 60, Stat: 'Sum' });
const question = (...names: (number | string)[]): Question => ({
  stats: Object.fromEntries(names.map((name) => [`of ${name}`, stat(name)])),
  start: BEGIN,
  end: BEGIN + 60_000,
});
const calm = () => new AbortController().signal;
const queries = (inputs: GetMetricDataCommandInput[]) => inputs.map((input) => input.MetricDataQueries?.length);

test('the queries of many rollouts go out in calls of up to 500, and each gets its own answer', async () => {
  const inputs: GetMetricDataCommandInput[] = [];
  const batch = new MetricBatch(async (input) => {
    inputs.push(input);
    return answer(input);
  });
  const values = await Promise.all(
    Array.from({ length: 130 }, (_, i) =>
      batch.ask(question(...Array.from({ length: 8 }, (_, k) => i * 8 + k)), calm()),
    ),
  );
  expect(queries(inputs)).toEqual([496, 496, 48]);
  expect(batch.calls).toBe(3);
  expect(values[129]?.get(`of ${129 * 8 + 7}`)?.get(BEGIN)).toBe(129 * 8 + 7);
  expect(values[0]?.size).toBe(8);
});

test('queries for different times are sent for the whole period', async () => {
  const inputs: GetMetricDataCommandInput[] = [];
  const batch = new MetricBatch(async (input) => {
    inputs.push(input);
    return answer(input);
  });
  await Promise.all([
    batch.ask({ ...question(1), start: 1_000, end: 5_000 }, calm()),
    batch.ask({ ...question(2), start: 3_000, end: 9_000 }, calm()),
  ]);
  expect(inputs.map(({ StartTime, EndTime }) => [StartTime?.getTime(), EndTime?.getTime()])).toEqual([[1_000, 9_000]]);
});

test('a refused query makes no other one blind', async () => {
  const batch = new MetricBatch(async (input) => {
    if (JSON.stringify(input).includes('"bad"')) throw new SluiceError('SLUICE_REFUSED', 'bad is no metric');
    return answer(input);
  });
  const [one, bad, two] = await Promise.allSettled([
    batch.ask(question(1), calm()),
    batch.ask(question('bad'), calm()),
    batch.ask(question(2), calm()),
  ]);
  expect([one?.status, bad?.status, two?.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect((bad as PromiseRejectedResult).reason).toMatchObject({ message: 'bad is no metric' });
});

test('an outage is reported to everyone, after one call', async () => {
  const batch = new MetricBatch(async () => {
    throw new SluiceError('SLUICE_PROVIDER', 'down');
  });
  const all = await Promise.allSettled([batch.ask(question(1), calm()), batch.ask(question(2), calm())]);
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(batch.calls).toBe(1);
});

test('pages are joined, and a missing last page is not an answer', async () => {
  const paged = (last: 'Complete' | 'PartialData') =>
    new MetricBatch(async (input) => {
      const first = input.NextToken === undefined;
      const at = new Date(first ? BEGIN : BEGIN + 60_000);
      const StatusCode = first ? 'PartialData' : last;
      return {
        $metadata: {},
        ...(first ? { NextToken: 'more' } : {}),
        MetricDataResults: [{ Id: 'q0', StatusCode, Timestamps: [at], Values: [first ? 1 : 2] }],
      };
    });
  const values = await paged('Complete').ask(question(1), calm());
  expect([...(values.get('of 1') ?? [])]).toEqual([
    [BEGIN, 1],
    [BEGIN + 60_000, 2],
  ]);
  await expect(paged('PartialData').ask(question(1), calm())).rejects.toThrow('CloudWatch answered PartialData');
});

test('a caller who leaves returns at once and the others are answered; the last one ends the call', async () => {
  let sent = () => {};
  const reached = new Promise<void>((resolve) => {
    sent = resolve;
  });
  let call: AbortSignal | undefined;
  const batch = new MetricBatch((_, signal) => {
    call = signal;
    sent();
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))));
  });
  const [first, last] = [new AbortController(), new AbortController()];
  const asked = [batch.ask(question(1), first.signal), batch.ask(question(2), last.signal)] as const;
  await reached;
  first.abort();
  await expect(asked[0]).rejects.toMatchObject({ name: 'AbortError' });
  expect(call?.aborted).toBe(false);
  last.abort();
  await expect(asked[1]).rejects.toMatchObject({ name: 'AbortError' });
  expect(call?.aborted).toBe(true);
});
