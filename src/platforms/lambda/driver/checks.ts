/** What would stop a rollout on Lambda. */
import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda';
import type { Spec } from '../../../model/spec.js';
import { reachOf } from '../../../strategies/registry.js';
import type { Finding } from '../../port.js';
import { optional, refuse, warn } from '../../shared/findings.js';
import type { Alias } from './alias.js';
import { readCapacity } from './capacity.js';
import { call, type Session } from './client.js';
import { changes, differences, logFormatOf } from './configuration.js';
import { givenTo } from './current.js';
import type { Observed } from './observed.js';

/** Share of the account's code storage below which a person should know. */
const STORAGE_LOW = 0.1;

/**
 * What will be published against what is live: rules of weighted aliases (same execution role, same dead-letter queue, "Implement
 * Lambda canary deployments using a weighted alias"), and what comes along unasked. Pure.
 */
export function checkPublished(spec: Spec, { latest, stable, named }: Observed): Finding[] {
  const found: Finding[] = [];
  const next = 'version' in spec.release ? named : latest;
  if (latest === null || next === null) return found;
  const given = givenTo(spec, stable);
  const splits = reachOf(spec) === 'split';
  if (stable !== null && splits) {
    const role = given.role ?? next.Role;
    if (role !== stable.Role) {
      found.push(
        refuse(
          'SLUICE_TARGET',
          `Lambda splits traffic only between versions of the same role; live is ${stable.Role}, the new one would have ${role}. Release the change of role with strategy direct or blueGreen`,
        ),
      );
    }
    const [isNow, willBe] = [stable.DeadLetterConfig?.TargetArn, next.DeadLetterConfig?.TargetArn];
    if ((isNow ?? '') !== (willBe ?? '')) {
      found.push(
        refuse(
          'SLUICE_TARGET',
          `Lambda splits traffic only between versions of the same dead-letter queue; live has ${isNow ?? 'none'}, the new one would have ${willBe ?? 'none'}. Release that change with strategy direct or blueGreen`,
        ),
      );
    }
  }
  if ('version' in spec.release) {
    const ignored = Object.keys(spec.configuration).filter((field) => field !== 'provisionedConcurrency');
    if (ignored.length > 0) {
      found.push(
        warn(
          'CONFIGURATION_IGNORED',
          `configuration.${ignored.join(', configuration.')} changes nothing: version ${spec.release.version} is published already`,
        ),
      );
    }
  } else if (stable !== null && !('current' in spec.release)) {
    const asked = Object.keys(changes(stable, given) ?? {}).map((field) => field.toLowerCase());
    const drifted = differences(stable, latest).filter(
      (name) => !asked.some((field) => field.startsWith(name.toLowerCase())),
    );
    if (drifted.length > 0) {
      found.push(
        warn(
          'LATEST_DIFFERS',
          `$LATEST differs from the live version ${stable.Version} in ${drifted.join(', ')}; ${'latest' in spec.release ? 'the new release takes this from $LATEST' : 'what the spec does not set, the new release takes from $LATEST'}`,
        ),
      );
    }
  }
  if (next.SnapStart?.ApplyOn === 'PublishedVersions') {
    found.push(warn('SNAP_START', 'SnapStart is on: publishing waits for the snapshot, some minutes'));
    if (spec.configuration.provisionedConcurrency) {
      found.push(
        refuse(
          'SLUICE_TARGET',
          'Lambda does not support provisioned concurrency for versions with SnapStart; remove configuration.provisionedConcurrency, or turn SnapStart off on the function',
        ),
      );
    }
  }
  return found;
}

/**
 * The metric lambdaLogs reads what only JSON logs say. Without it the rollout could never be judged by that metric: it
 * would be blind from the first stage on. Pure.
 */
export function checkLogs(spec: Spec, { latest, stable, named }: Observed): Finding[] {
  const metric = spec.health.metrics.find(({ kind, dryRun }) => kind === 'lambdaLogs' && !dryRun);
  if (metric === undefined) return [];
  if ('version' in spec.release) {
    if (named === null || logFormatOf(named) === 'JSON') return [];
    const version = spec.release.version;
    return [
      refuse(
        'SLUICE_TARGET',
        `metric ${metric.name} (lambdaLogs) cannot see version ${version}, which logs as Text. Publish a version with LogFormat JSON, or use another metric`,
      ),
    ];
  }
  const source = 'current' in spec.release ? stable : latest;
  const format = spec.configuration.logFormat ?? (source === null ? 'Text' : logFormatOf(source));
  if (format === 'JSON') return [];
  const cure =
    'latest' in spec.release
      ? 'Set it where $LATEST gets its configuration (LoggingConfig of the template, LogFormat: JSON)'
      : 'Set configuration.logFormat: JSON';
  return [
    refuse(
      'SLUICE_TARGET',
      `metric ${metric.name} (lambdaLogs) needs the function's logs as JSON, the new release would log as Text. ${cure}`,
    ),
  ];
}

/** Every version counts against the region's code storage. */
export async function checkCodeStorage(session: Session, spec: Spec): Promise<Finding[]> {
  if ('version' in spec.release || 'image' in spec.release) return [];
  const bytes = 'artifact' in spec.release ? spec.release.artifact.bytes : 0;
  return optional('code storage', async () => {
    const { AccountLimit, AccountUsage } = await call(session, new GetAccountSettingsCommand({}));
    const [limit, used] = [AccountLimit?.TotalCodeSize, AccountUsage?.TotalCodeSize];
    if (limit === undefined || used === undefined) return [];
    const left = limit - used;
    const said = `${megabytes(left)} of ${megabytes(limit)} code storage are left in ${session.target.region}`;
    if (left < bytes) {
      return [
        refuse(
          'SLUICE_TARGET',
          `${said}, the release needs ${megabytes(bytes)}; delete old versions or ask AWS for more`,
        ),
      ];
    }
    return left < limit * STORAGE_LOW ? [warn('CODE_STORAGE', said)] : [];
  });
}

/** Provisioned concurrency of the alias itself cannot be managed while the alias is split. */
export async function checkCapacity(session: Session, alias: Alias | null): Promise<Finding[]> {
  if (alias === null) return [];
  return optional('provisioned concurrency', async () => {
    const found = await readCapacity(session, session.target.alias);
    if (found === null) return [];
    const { function: fn, alias: name } = session.target;
    return [
      warn(
        'CAPACITY_ON_ALIAS',
        `${fn}:${name} has provisioned concurrency (${found.requested}) on the alias: it moves with the weights and cannot be changed while traffic is split. Set configuration.provisionedConcurrency, which puts it on the version, and delete it from the alias`,
      ),
    ];
  });
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 104_857.6) / 10} MB`;
}
