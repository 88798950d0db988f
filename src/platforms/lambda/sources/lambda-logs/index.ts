/**
 * Users' requests within seconds: the `platform.report` that Lambda logs after each invocation of a function with
 * LogFormat JSON, with its status and duration ("Configuring JSON and plain text log formats"). The log stream's name holds
 * the version. What was logged can be read again after a crash, which a live tail cannot; docs/health.md has the choice.
 */

import type { Asked, Source, SourceOf, SourceTick } from '../../../../health/sources/source.js';
import { closedEnds, releasesOf } from '../../../../health/sources/stretches.js';
import type { Counts } from '../../../../judge/types.js';
import { SluiceError } from '../../../../model/errors.js';
import type { LambdaLogsMetric } from '../../../../model/spec.js';
import { writeDuration } from '../../../../spec/units.js';
import type { Session } from '../../driver/client.js';
import { type LambdaConfiguration, logFormatOf, readConfiguration } from '../../driver/configuration.js';
import { PATTERN, type Report, reportsIn } from './reports.js';

/** Stretches of one read; all are asked for at once. */
const MOST = 60;

export function lambdaLogsSource(
  metric: LambdaLogsMetric,
  of: SourceOf,
  open: (signal: AbortSignal) => Session,
): Source {
  const releases = releasesOf(of);
  /** Log groups by version. A published version's configuration never changes, so one look at it is enough. */
  const groups = new Map<string, string | null>();

  const groupOf = async (session: Session, arm: Arm, version: string): Promise<string | null> => {
    const known = groups.get(version);
    if (known !== undefined) return known;
    const found = await readConfiguration(session, version);
    const why = unreadable(found);
    if (why !== null && arm === 'candidate') throw new SluiceError('SLUICE_TARGET', `version ${version} ${why}`);
    // An old stable release without reports says nothing, which is no reason to be blind to the candidate.
    const group = why === null ? (found?.LoggingConfig?.LogGroup ?? `/aws/lambda/${session.target.function}`) : null;
    groups.set(version, group);
    return group;
  };

  return {
    seesProbes: true,
    async read({ signal }, since) {
      const { window, delay } = metric;
      const ends = closedEnds({ length: window, delay, now: of.now(), since, most: MOST });
      const [first, last] = [ends[0], ends.at(-1)];
      if (first === undefined || last === undefined) return { ticks: [], asked: [] };
      const session = open(signal);
      const ticks: SourceTick[] = ends.map((id) => ({ id, stable: null, candidate: null }));
      const byGroup = new Map<string, Report[]>();
      const asked: Asked[] = [];
      for (const [arm, version] of releases) {
        const group = await groupOf(session, arm, version);
        if (group === null) continue;
        // Both versions are read at once where they share a group. A stretch ends just before the next one begins.
        const reports =
          byGroup.get(group) ?? (await reportsIn(session, { group, start: first - window, end: last - 1 }));
        byGroup.set(group, reports);
        const own = reports.filter((report) => report.version === version && report.at >= of.from);
        const users = own.filter(({ requestId }) => !of.isProbe(requestId));
        for (const tick of ticks) tick[arm] = counted(users, tick.id - window, tick.id, metric.latency);
        asked.push(shown(group, version, ticks.at(-1)?.[arm] ?? null, { window, last }));
      }
      return { ticks, asked };
    },
  };
}

type Arm = 'stable' | 'candidate';

/** Why a version logs no reports; null when it does. INFO is the level of a report ("Log-level filtering"). */
function unreadable(found: LambdaConfiguration | null): string | null {
  if (found === null) return 'does not exist (any more)';
  if (logFormatOf(found) !== 'JSON') {
    return 'logs as Text, which does not say whether a request failed; set configuration.logFormat: JSON';
  }
  const level = found.LoggingConfig?.SystemLogLevel;
  if (level === 'WARN')
    return "logs no reports, because its system log level is WARN; set it to INFO in the function's logging";
  return null;
}

/** No report is no statement: an idle release and logs that do not arrive look the same. */
function counted(reports: Report[], begin: number, end: number, latency: number | undefined): Counts | null {
  const here = reports.filter(({ at }) => at >= begin && at < end);
  if (here.length === 0) return null;
  return {
    requests: here.length,
    errors: here.filter(({ ok }) => !ok).length,
    ...(latency === undefined ? {} : { slow: here.filter(({ duration }) => duration > latency).length }),
  };
}

function shown(
  group: string,
  version: string,
  counts: Counts | null,
  { window, last }: { window: number; last: number },
): Asked {
  const said = counts === null ? 'no report' : `${counts.requests} requests, ${counts.errors} errors`;
  const slow = counts?.slow === undefined ? '' : `, ${counts.slow} slow`;
  return {
    query: `FilterLogEvents ${group} ${PATTERN} in streams with [${version}]`,
    answer: `${said}${slow} in ${writeDuration(window)} until ${new Date(last).toISOString()}`,
  };
}
