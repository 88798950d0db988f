/** Health before the rollout: what stable did, which alarms fire. It is read once, before the candidate has any traffic. */

import type { Egress } from '../egress/index.js';
import type { Baseline } from '../judge/index.js';
import { dispersion } from '../judge/index.js';
import { decidingMetrics } from '../model/evidence.js';
import type { MetricSpec, Spec } from '../model/spec.js';
import { clean } from '../model/text.js';
import type { CallContext, Finding, PlatformDriver } from '../platforms/port.js';
import { kitOf } from '../platforms/registry.js';
import { bounded } from './bounded.js';
import { metricSource } from './source-names.js';
import { alarmStates, type SourceTick, sourceOf } from './sources/index.js';
import type { HealthBefore } from './types.js';

const MINUTE = 60_000;
/** How far back, in ms: some more than the sixty ticks that the clustering of errors is measured by, of seconds or of minutes. */
const LOOK_BACK = { seconds: 6 * MINUTE, minutes: 65 * MINUTE };
/** Longest look back at one source, in ms. The rollout waits for it. */
const LONGEST = 10_000;

type Driver = Pick<PlatformDriver, 'source' | 'address' | 'alarms'>;

/** What could not be read is a warning, and an alarm that does not exist is refused. `stable` null: nothing was live. */
export async function healthBefore(
  ctx: CallContext,
  driver: Driver,
  egress: Egress,
  spec: Spec,
  stable: string | null,
): Promise<{ health: HealthBefore; findings: Finding[] }> {
  const findings: Finding[] = [];
  const metrics = stable === null ? [] : decidingMetrics(spec.health);
  const read = metrics.map(async (metric): Promise<[string, Baseline][]> => {
    try {
      const ticks = await bounded(ctx.signal, LONGEST, (signal) =>
        past(signal, { driver, egress }, spec, metric, stable as string),
      );
      return [[metricSource(metric), baselineOf(ticks)]];
    } catch (error) {
      if (ctx.signal.aborted) throw error;
      findings.push({ level: 'warn', code: 'HEALTH', message: unread(`metric ${metric.name}`, error) });
      return [];
    }
  });
  const baselines = Object.fromEntries((await Promise.all(read)).flat());
  const alarms = await firingNow(ctx, driver, spec);
  if (spec.health.invocation !== 'sync' && spec.health.alarms.length === 0) findings.push(...nobodyCountsLosses(spec));
  if (stable === null && !mayBeUnseen(spec)) findings.push(...nobodyYet(spec));
  return { health: { baselines, firing: alarms.firing }, findings: [...findings, ...alarms.findings] };
}

function mayBeUnseen({ health, strategy }: Spec): boolean {
  return strategy.type === 'undo' || health.judge.onNoData === 'promote';
}

/** A first release has no users until someone calls it, and until then its metrics have nothing to report. */
function nobodyYet({ app, environment, health }: Spec): Finding[] {
  const names = decidingMetrics(health).map(({ name }) => name);
  if (names.length === 0) return [];
  if (health.probes.length > 0) {
    const message = `nothing is live yet, so there may be no users to count: only the probes can show that this first release is healthy (metric ${names.join(', ')} counts any requests it sees)`;
    return [{ level: 'warn', code: 'HEALTH', message }];
  }
  const then =
    health.judge.onNoData === 'hold'
      ? `it is held until \`sluice promote ${app}/${environment}\``
      : 'it is rolled back';
  const message = `nothing is live yet, so there may be no users to count: if no request reaches the first release during its bake, ${then} (metric ${names.join(', ')}; add a probe, which can judge it)`;
  return [{ level: 'warn', code: 'HEALTH', message }];
}

/** Events that are given up are no errors of any invocation, so that no source counts them by release. */
function nobodyCountsLosses({ target }: Spec): Finding[] {
  const { events } = kitOf(target.platform);
  if (events === null) return [];
  const message = `nothing watches for events that are lost: name alarms on ${events.alarms}, in health.alarms`;
  return [{ level: 'warn', code: 'HEALTH', message }];
}

/** All closed stretches of the time before, of the release that is stable. */
async function past(
  signal: AbortSignal,
  { driver, egress }: { driver: Driver; egress: Egress },
  spec: Spec,
  metric: MetricSpec,
  stable: string,
): Promise<SourceTick[]> {
  const now = () => Date.now();
  const from = now() - ('window' in metric ? LOOK_BACK.seconds : LOOK_BACK.minutes);
  const of = { spec, stable: null, candidate: stable, from, now, isProbe: () => false };
  const source = sourceOf(metric, of, driver, egress);
  const ticks: SourceTick[] = [];
  for (let since = from; ; ) {
    const reading = await source.read({ signal }, since);
    const last = reading.ticks.at(-1);
    if (last === undefined) return ticks;
    ticks.push(...reading.ticks);
    since = last.id;
  }
}

function baselineOf(ticks: SourceTick[]): Baseline {
  const counted = ticks.flatMap(({ candidate }) => (candidate === null ? [] : [candidate]));
  return {
    counts: {
      requests: counted.reduce((sum, { requests }) => sum + requests, 0),
      errors: counted.reduce((sum, { errors }) => sum + errors, 0),
    },
    dispersion: dispersion(counted.map(({ errors }) => errors)),
  };
}

/** Alarms that fire already are recorded and do not block the fix. */
async function firingNow(
  ctx: CallContext,
  driver: Driver,
  spec: Spec,
): Promise<{ firing: string[]; findings: Finding[] }> {
  const { alarms } = spec.health;
  if (alarms.length === 0) return { firing: [], findings: [] };
  try {
    const states = await bounded(ctx.signal, LONGEST, (signal) => alarmStates(driver, spec, signal));
    const of = ({ name }: { name: string }) => states[name] ?? null;
    const firing = alarms.filter((alarm) => of(alarm)?.state === 'ALARM').map(({ name }) => name);
    return {
      firing,
      findings: [
        ...alarms.filter((alarm) => of(alarm) === null).map(({ name, alarm }) => missing(name, alarm)),
        ...firing.map((name) => firesAlready(name)),
      ],
    };
  } catch (error) {
    if (ctx.signal.aborted) throw error;
    return { firing: [], findings: [{ level: 'warn', code: 'HEALTH', message: unread('the alarms', error) }] };
  }
}

function missing(name: string, alarm: string): Finding {
  const message = `alarm ${name}: there is no alarm "${alarm}" in the target's account and region (correct its name in health.alarms, or create it)`;
  return { level: 'refuse', code: 'SLUICE_TARGET', message };
}

function firesAlready(name: string): Finding {
  const message = `alarm ${name} is already firing; it stops this rollout only if it clears and goes off again`;
  return { level: 'warn', code: 'HEALTH', message };
}

function unread(what: string, error: unknown): string {
  const why = clean(error instanceof Error ? error.message : error, 300);
  return `${what} could not be read before the rollout: ${why}. Until it can, the judge is blind and nothing passes`;
}
