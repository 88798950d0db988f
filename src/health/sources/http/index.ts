/** Counts from any address that answers JSON: asked for each release and each stretch. */

import type { Egress } from '../../../egress/index.js';
import type { Counts } from '../../../judge/types.js';
import { SluiceError } from '../../../model/errors.js';
import type { HttpMetric, Spec } from '../../../model/spec.js';
import { clean } from '../../../model/text.js';
import type { PlatformDriver } from '../../../platforms/port.js';
import { readContext } from '../../../platforms/shared/read-context.js';
import { metricHeaders } from '../../../secrets/headers.js';
import { asksForHost, type Receiver, urlFor } from '../../http.js';
import { at } from '../../json-path.js';
import { askJson, refused } from '../json.js';
import type { Asked, Reading, Source, SourceOf, SourceTick } from '../source.js';
import { closedEnds, releasesOf } from '../stretches.js';

/** Stretches of one read: each costs a request for each release. */
const MOST = 12;

export function httpSource(
  metric: HttpMetric,
  of: SourceOf,
  driver: Pick<PlatformDriver, 'address'>,
  egress: Egress,
): Source {
  return {
    async read({ signal }, since) {
      const ends = closedEnds({ length: metric.window, delay: metric.delay, now: of.now(), since, most: MOST });
      const reading: Reading = { ticks: [], asked: [] };
      for (const id of ends) {
        const tick: SourceTick = { id, stable: null, candidate: null };
        const asked = releasesOf(of).map(async ([arm, version]) => {
          const receiver = await receiverOf(metric, version, of, driver, signal);
          const answer = await ask(metric, { receiver, spec: of.spec, egress }, id, signal);
          tick[arm] = answer.counts;
          return answer.asked;
        });
        // What a person checks is the newest stretch.
        reading.asked = await Promise.all(asked);
        reading.ticks.push(tick);
      }
      return reading;
    },
  };
}

/** Where the counts of a release are asked for. Errors: the driver's. */
async function receiverOf(
  metric: HttpMetric,
  version: string,
  { spec, from }: SourceOf,
  driver: Pick<PlatformDriver, 'address'>,
  signal: AbortSignal,
): Promise<Receiver> {
  if (!asksForHost(metric)) return { version, address: null };
  return { version, address: await driver.address(readContext(signal, from), { spec, version }) };
}

function stretchUrl({ url, window }: HttpMetric, receiver: Receiver, end: number): string {
  return urlFor({ url }, receiver)
    .replaceAll('{from}', String((end - window) / 1000))
    .replaceAll('{to}', String(end / 1000));
}

async function ask(
  metric: HttpMetric,
  { receiver, spec, egress }: { receiver: Receiver; spec: Spec; egress: Egress },
  end: number,
  signal: AbortSignal,
): Promise<{ counts: Counts | null; asked: Asked }> {
  const url = stretchUrl(metric, receiver, end);
  const given = await metricHeaders(metric, { spec, url }, egress.secrets, signal);
  const headers = { ...given, ...receiver.address?.headers };
  const answer = await askJson({ net: egress.net, url, headers, signal });
  if (answer.status !== 200) throw refused(url, answer);
  if (answer.value === undefined) {
    throw new SluiceError('SLUICE_PROVIDER', `${url} did not answer JSON: ${clean(answer.text, 100)}`);
  }
  return { counts: countsIn(answer.value, metric, url), asked: { query: `GET ${url}`, answer: answer.text } };
}

/** Nothing at `requests` says that there is nothing to say; then the others need not be there. */
function countsIn(value: unknown, { requests, errors, slow }: HttpMetric, url: string): Counts | null {
  if ((at(value, requests) ?? null) === null) return null;
  const count = (path: string) => whole(at(value, path), path, url);
  return { requests: count(requests), errors: count(errors), ...(slow === undefined ? {} : { slow: count(slow) }) };
}

function whole(found: unknown, path: string, url: string): number {
  const number = typeof found === 'string' && found.trim() !== '' ? Number(found) : found;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0) return number;
  const there = found === undefined ? 'nothing' : clean(JSON.stringify(found), 60);
  throw new SluiceError('SLUICE_PROVIDER', `${url} has ${there} at ${path}, not a count (0, 1, 2, …)`);
}
