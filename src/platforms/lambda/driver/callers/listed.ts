/** What AWS lists of a function's callers: event source mappings, function URLs, statements of its policy. */
import {
  type EventSourceMappingConfiguration,
  type FunctionUrlConfig,
  GetPolicyCommand,
  ListEventSourceMappingsCommand,
  ListFunctionUrlConfigsCommand,
} from '@aws-sdk/client-lambda';
import { clean } from '../../../../model/text.js';
import { hasCode } from '../../../shared/failures.js';
import { call, type Session } from '../client.js';

/** All mappings of a function, or of one version or alias of it (`function:qualifier`). Empty when it does not exist. */
export async function listMappings(session: Session, name: string): Promise<EventSourceMappingConfiguration[]> {
  const found: EventSourceMappingConfiguration[] = [];
  for (let marker: string | undefined; ; ) {
    const page = await existing(
      call(session, new ListEventSourceMappingsCommand({ FunctionName: name, Marker: marker })),
    );
    found.push(...(page.EventSourceMappings ?? []));
    marker = page.NextMarker;
    if (!marker) return found;
  }
}

/** All URLs of the target's function, those of its aliases too. */
export async function listUrls(session: Session): Promise<FunctionUrlConfig[]> {
  const found: FunctionUrlConfig[] = [];
  const { function: name } = session.target;
  for (let marker: string | undefined; ; ) {
    const page = await existing(
      call(session, new ListFunctionUrlConfigsCommand({ FunctionName: name, Marker: marker })),
    );
    found.push(...(page.FunctionUrlConfigs ?? []));
    marker = page.NextMarker;
    if (!marker) return found;
  }
}

/** One statement of a function's policy: who may call which address. */
export interface Statement {
  /** Cleaned, since it is foreign text. */
  sid: string;
  principal: string;
  /** The ARN that may be called. */
  resource: string | undefined;
}

/** The policy of the bare function, or of one version or alias. Empty if there is none. */
export async function listStatements(session: Session, qualifier: string | null): Promise<Statement[]> {
  return (await listPolicy(session, qualifier)).map(({ Sid, Principal, Resource }) => ({
    sid: clean(Sid, 60),
    principal: principalOf(Principal),
    resource: typeof Resource === 'string' ? Resource : undefined,
  }));
}

/** The principal of a statement, for a person. Cleaned. */
export function principalOf(principal: unknown): string {
  return clean(typeof principal === 'string' ? principal : Object.values(principal ?? {}).join(', '), 100);
}

/** The same, each statement as it is written. */
export async function listPolicy(session: Session, qualifier: string | null): Promise<PolicyStatement[]> {
  return (await readPolicy(session, qualifier)).statements;
}

/** A policy, and the RevisionId that fences its next change ("AddPermission", "RemovePermission"); null where there is no policy. */
export async function readPolicy(
  session: Session,
  qualifier: string | null,
): Promise<{ statements: PolicyStatement[]; revision: string | null }> {
  const { Policy, RevisionId } = await existing(
    call(
      session,
      new GetPolicyCommand({
        FunctionName: session.target.function,
        ...(qualifier === null ? {} : { Qualifier: qualifier }),
      }),
    ),
  );
  return { statements: parse(Policy), revision: RevisionId ?? null };
}

/** A statement as AWS writes it, with foreign text in all its parts. */
export interface PolicyStatement {
  Sid?: unknown;
  Effect?: unknown;
  Principal?: unknown;
  Action?: unknown;
  Resource?: unknown;
  Condition?: unknown;
}

function parse(policy: string | undefined): PolicyStatement[] {
  try {
    const { Statement: statements } = JSON.parse(policy ?? '{}') as { Statement?: PolicyStatement | PolicyStatement[] };
    return statements === undefined ? [] : [statements].flat();
  } catch {
    return [];
  }
}

/** What is not there has nothing in it. */
async function existing<T>(asked: Promise<T>): Promise<Partial<T>> {
  try {
    return await asked;
  } catch (error) {
    if (hasCode(error, 'SLUICE_NOT_FOUND')) return {};
    throw error;
  }
}
