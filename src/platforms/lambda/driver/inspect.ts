/** Reads a target before a rollout: what is there, and what would stop it. */
import { mark } from '../../../model/ids.js';
import type { Spec } from '../../../model/spec.js';
import type { Artifacts } from '../../../store/index.js';
import type { BeforeState, Finding } from '../../port.js';
import { sameTarget } from '../../shared/description.js';
import { refuse } from '../../shared/findings.js';
import { say } from '../../shared/splits.js';
import { type Alias, readAlias, trafficOf } from './alias.js';
import { checkBypass } from './bypass.js';
import { checkCalls } from './call-checks.js';
import { readCapacity } from './capacity.js';
import { checkCapacity, checkCodeStorage, checkLogs, checkPublished } from './checks.js';
import type { Session } from './client.js';
import { type LambdaConfiguration, readConfiguration, releaseOf } from './configuration.js';
import { checkCurrent, givenTo } from './current.js';
import { readEnvironments } from './environments.js';
import type { Observed } from './observed.js';
import { checkPermissions, permissionsToCreate } from './permission-checks.js';
import { checkLatest, pinnedOf } from './pinned.js';
import { checkPackage, checkReserved, checkRuntime } from './release-checks.js';
import { writesLatest } from './release-kinds.js';
import { checkStack } from './stack.js';

/** Reads the target and what would stop a rollout. Writes nothing. */
export async function inspect(
  session: Session,
  artifacts: Artifacts,
  spec: Spec,
): Promise<{ before: BeforeState; findings: Finding[] }> {
  const latest = await readConfiguration(session);
  const unread = [...(await checkPackage(session, artifacts, spec)), ...checkRuntime(spec)];
  if (latest === null) {
    return { before: beforeOf(null, null, null, 0), findings: [...unread, ...checkFunction(session, spec)] };
  }

  const alias = await readAlias(session);
  const version = alias?.split.stable ?? null;
  const stable = version === null ? null : await readConfiguration(session, version);
  const named = 'version' in spec.release ? await readConfiguration(session, String(spec.release.version)) : null;
  const environments = await readEnvironments(session, version);
  const capacity = version === null || version === '$LATEST' ? null : await readCapacity(session, version);
  const before: BeforeState = {
    ...beforeOf(alias, stable, environments, capacity?.requested ?? 0),
    ...('latest' in spec.release ? { pinned: pinnedOf(latest) } : {}),
  };

  const seen: Observed = { alias, latest, stable, named };
  const findings = [...unread, ...checkAlias(session, spec, alias), ...checkRelease(session, spec, seen)];
  // An undo publishes nothing, and what was right for its release still is. Users wait for it.
  if (spec.strategy.type === 'undo') return { before, findings };
  findings.push(...checkPublished(spec, seen), ...checkLogs(spec, seen));
  // Further checks cost calls; they cannot save a rollout that is refused already.
  if (findings.some(({ level }) => level === 'refuse')) return { before, findings };
  findings.push(...(await checkPermissions(session, spec, { before, latest, given: givenTo(spec, stable) })));
  findings.push(...(await checkReserved(session, spec)));
  findings.push(...(await checkStack(session, spec, latest)));
  findings.push(...(await checkCodeStorage(session, spec)));
  findings.push(...(await checkCapacity(session, alias)));
  findings.push(...(await checkCalls(session, spec, version)));
  if (!writesLatest(spec)) return { before, findings };
  const { findings: callers, bypass } = await checkBypass(session, spec, { latest, alias: alias !== null });
  return { before: bypass.length === 0 ? before : { ...before, bypass }, findings: [...findings, ...callers] };
}

function beforeOf(
  alias: Alias | null,
  stable: LambdaConfiguration | null,
  environments: BeforeState['environments'],
  capacity: number,
): BeforeState {
  return {
    ...trafficOf(alias),
    release: stable === null ? null : releaseOf(stable),
    description: alias?.text ?? '',
    environments,
    capacity,
  };
}

/** The function does not exist: it can be created, or what is missing for that. Pure. */
function checkFunction({ target }: Session, spec: Spec): Finding[] {
  const { function: name, region } = target;
  const { role, runtime, handler } = spec.configuration;
  if ('version' in spec.release) {
    return [
      refuse('SLUICE_NOT_FOUND', `function ${name} does not exist, so it has no version ${spec.release.version}`),
    ];
  }
  if ('latest' in spec.release || 'current' in spec.release) {
    const [source] = Object.keys(spec.release);
    return [
      refuse(
        'SLUICE_NOT_FOUND',
        `function ${name} does not exist in ${region}, so there is nothing for release.${source} to release`,
      ),
    ];
  }
  const missing = [
    ...(role === undefined ? ['configuration.role'] : []),
    ...('image' in spec.release || runtime !== undefined ? [] : ['configuration.runtime']),
    ...('image' in spec.release || handler !== undefined ? [] : ['configuration.handler']),
  ];
  if (missing.length === 0) return [permissionsToCreate()];
  return [
    refuse(
      'SLUICE_NOT_FOUND',
      `function ${name} does not exist in ${region}; to create it the spec needs ${missing.join(', ')}`,
    ),
  ];
}

/** Whose the alias is, and whether it may be moved. Pure. */
function checkAlias(session: Session, spec: Spec, alias: Alias | null): Finding[] {
  if (alias === null) return [];
  const { function: fn, alias: name } = session.target;
  const found: Finding[] = [];
  if (alias.mark !== null && !sameTarget(alias.mark, mark(spec.app, spec.environment, 'any', 'any'))) {
    found.push(
      refuse(
        'SLUICE_OWNED',
        `${fn}:${name} belongs to another rollout target (its description says ${alias.mark}); use that app and environment, or remove the mark from the alias's description`,
      ),
    );
  }
  if (alias.split.stable === '$LATEST') {
    found.push(
      refuse(
        'SLUICE_TARGET',
        `${fn}:${name} points at $LATEST, which cannot be split and changes under its users; publish a version and point the alias at it: \`aws lambda publish-version --function-name ${fn}\`, \`aws lambda update-alias --function-name ${fn} --name ${name} --function-version N\``,
      ),
    );
  }
  if (alias.split.candidate !== null) {
    found.push(
      refuse(
        'SLUICE_ALIAS_SPLIT',
        `${fn}:${name} is split already: ${say(alias.split)}, by ${alias.mark ?? 'someone other than Sluice'}. End the split with \`aws lambda update-alias --function-name ${fn} --name ${name} --routing-config AdditionalVersionWeights={}\`, or find what left it with \`sluice sweep\``,
      ),
    );
  }
  return found;
}

/** Whether the release can exist. Pure. */
function checkRelease(session: Session, spec: Spec, seen: Observed): Finding[] {
  const { release } = spec;
  const { latest, named } = seen;
  const { function: fn } = session.target;
  if ('version' in release) {
    if (named === null) {
      return [
        refuse(
          'SLUICE_NOT_FOUND',
          `version ${release.version} of ${fn} does not exist; \`aws lambda list-versions-by-function --function-name ${fn}\` lists them`,
        ),
      ];
    }
    if (named.State === 'Failed')
      return [refuse('SLUICE_TARGET', `version ${release.version} of ${fn} is Failed: ${named.StateReason ?? ''}`)];
  }
  if ('image' in release && !/@sha256:[0-9a-f]{64}$/.test(release.image)) {
    return [
      refuse(
        'SLUICE_TARGET',
        `image ${release.image} is named by a tag, which may move; name it by digest: repository@sha256:…`,
      ),
    ];
  }
  if ('latest' in release) return latest === null ? [] : checkLatest(fn, latest);
  if ('current' in release) return checkCurrent(session, spec, seen);
  return checkPackageType(fn, release, latest);
}

/** Lambda never changes a function's package type ("Create a Lambda function using a container image"). Pure. */
function checkPackageType(fn: string, release: Spec['release'], latest: LambdaConfiguration | null): Finding[] {
  if (latest === null || 'version' in release) return [];
  const isImage = latest.PackageType === 'Image';
  if (isImage === 'image' in release) return [];
  const [has, gives, instead] = isImage
    ? ['container images', 'a zip', 'an image (release.image)']
    : ['zips', 'a container image', 'a folder, a zip or s3'];
  return [
    refuse(
      'SLUICE_TARGET',
      `${fn} is a function of ${has} and the release is ${gives}; Lambda cannot change that. Release ${instead}, or name another function: it is created`,
    ),
  ];
}
