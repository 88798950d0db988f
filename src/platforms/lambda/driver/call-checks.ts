/** Whether callers go through the alias, so that a rollout moves them. */
import type { Spec } from '../../../model/spec.js';
import type { Finding } from '../../port.js';
import { optional, warn } from '../../shared/findings.js';
import { isAlias, isBare, listMappings, listStatements, listUrls, qualifierOf } from './callers/index.js';
import type { Session } from './client.js';
import { writesLatest } from './release-kinds.js';

/**
 * Whether traffic really goes through the alias: callers of something else do not follow a rollout. `checkBypass` checks who
 * calls the bare name of a release that writes `$LATEST`.
 */
export async function checkCalls(session: Session, spec: Spec, stable: string | null): Promise<Finding[]> {
  const { function: fn } = session.target;
  const found: Finding[] = [];
  const bare = !writesLatest(spec);
  if (bare) {
    found.push(
      ...(await optional('event source mappings', () => mappings(session, fn, bare))),
      ...(await optional('function URLs', () => urls(session))),
      ...(await optional('the resource policy of the function', () => policy(session, null))),
    );
  }
  if (stable !== null && stable !== '$LATEST') {
    found.push(
      ...(await optional(`event source mappings of version ${stable}`, () =>
        mappings(session, `${fn}:${stable}`, bare),
      )),
      ...(await optional(`the resource policy of version ${stable}`, () => policy(session, stable))),
    );
  }
  return found.filter((one, at) => found.findIndex((other) => other.message === one.message) === at);
}

async function mappings(session: Session, name: string, bare: boolean): Promise<Finding[]> {
  return (await listMappings(session, name))
    .filter(({ FunctionArn }) => bare || !isBare(FunctionArn))
    .flatMap(({ UUID, FunctionArn, EventSourceArn }) =>
      pointsElsewhere(session, FunctionArn, `event source mapping ${UUID} (${EventSourceArn ?? 'unknown source'})`),
    );
}

async function urls(session: Session): Promise<Finding[]> {
  return (await listUrls(session)).flatMap((url) => pointsElsewhere(session, url.FunctionArn, 'a function URL'));
}

/** A policy says who may invoke which address. It is per qualifier, so one without the alias is for traffic that bypasses it. */
async function policy(session: Session, version: string | null): Promise<Finding[]> {
  return (await listStatements(session, version)).flatMap(({ sid, principal, resource }) =>
    pointsElsewhere(session, resource, `permission ${sid} for ${principal}`),
  );
}

function pointsElsewhere(session: Session, arn: string | undefined, what: string): Finding[] {
  const { function: fn, alias } = session.target;
  const qualifier = qualifierOf(arn);
  // An alias: the target's own, an environment's, or another target's, whose users are not meant to follow this rollout.
  if (qualifier === undefined || isAlias(arn)) return [];
  const points = isBare(arn) ? `the bare function ${fn}` : `${fn}:${qualifier}`;
  return [
    warn(
      'TRAFFIC_BYPASSES_ALIAS',
      `${what} points at ${points}: that traffic does not follow the rollout. Point it at ${fn}:${alias}`,
    ),
  ];
}
