import {
  GetPolicyCommand,
  ListEventSourceMappingsCommand,
  ListFunctionUrlConfigsCommand,
} from '@aws-sdk/client-lambda';
import { clean } from '../../../src/model/text.js';
import { optional, warn } from '../findings.js';
import type { Finding } from '../platform.js';
import { call, type Session } from './client.js';

/** Whether traffic really goes through the alias: what points elsewhere does not follow a rollout. */
export async function checkCalls(session: Session, stable: string | null): Promise<Finding[]> {
  const { function: fn } = session.target;
  const found = [
    ...(await optional('event source mappings', () => mappings(session, fn))),
    ...(await optional('function URLs', () => urls(session))),
    ...(await optional('the resource policy of the function', () => policy(session, null))),
  ];
  if (stable !== null && stable !== '$LATEST') {
    found.push(
      ...(await optional(`event source mappings of version ${stable}`, () => mappings(session, `${fn}:${stable}`))),
    );
    found.push(...(await optional(`the resource policy of version ${stable}`, () => policy(session, stable))));
  }
  return found.filter((one, at) => found.findIndex((other) => other.message === one.message) === at);
}

async function mappings(session: Session, name: string): Promise<Finding[]> {
  const { EventSourceMappings } = await call(session, new ListEventSourceMappingsCommand({ FunctionName: name }));
  return (EventSourceMappings ?? []).flatMap((mapping) =>
    pointsElsewhere(
      session,
      mapping.FunctionArn,
      `event source mapping ${mapping.UUID} (${mapping.EventSourceArn ?? 'unknown source'})`,
    ),
  );
}

async function urls(session: Session): Promise<Finding[]> {
  const { FunctionUrlConfigs } = await call(
    session,
    new ListFunctionUrlConfigsCommand({ FunctionName: session.target.function }),
  );
  return (FunctionUrlConfigs ?? []).flatMap((url) => pointsElsewhere(session, url.FunctionArn, 'a function URL'));
}

/** A policy names who may invoke which address; per qualifier, so one without the alias is for traffic beside it. */
async function policy(session: Session, version: string | null): Promise<Finding[]> {
  const { Policy } = await call(
    session,
    new GetPolicyCommand({
      FunctionName: session.target.function,
      ...(version === null ? {} : { Qualifier: version }),
    }),
  );
  return statements(Policy).flatMap((statement) =>
    pointsElsewhere(
      session,
      resourceOf(statement),
      `permission ${clean(statement.Sid, 60)} for ${principalOf(statement)}`,
    ),
  );
}

interface Statement {
  Sid?: unknown;
  Principal?: unknown;
  Resource?: unknown;
}

function statements(policy: string | undefined): Statement[] {
  try {
    const { Statement } = JSON.parse(policy ?? '{}') as { Statement?: Statement | Statement[] };
    return Statement === undefined ? [] : [Statement].flat();
  } catch {
    return [];
  }
}

function resourceOf({ Resource }: Statement): string | undefined {
  return typeof Resource === 'string' ? Resource : undefined;
}

function principalOf({ Principal }: Statement): string {
  return clean(typeof Principal === 'string' ? Principal : Object.values(Principal ?? {}).join(', '), 100);
}

function pointsElsewhere(session: Session, arn: string | undefined, what: string): Finding[] {
  const { function: fn, alias } = session.target;
  if (arn === undefined) return [];
  const qualifier = /:function:[^:]+(?::([^:]+))?$/.exec(arn)?.[1];
  // An alias: the target's own, an environment's, or another target's, whose users are not meant to follow this rollout.
  if (qualifier !== undefined && !/^(\d+|\$LATEST)$/.test(qualifier)) return [];
  const points = qualifier === undefined ? `the bare function ${fn}` : `${fn}:${qualifier}`;
  return [
    warn(
      'TRAFFIC_BYPASSES_ALIAS',
      `${what} points at ${points}: that traffic does not follow the rollout. Point it at ${fn}:${alias}`,
    ),
  ];
}
