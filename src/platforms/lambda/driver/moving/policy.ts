/** Changes of a function's policy, fenced by its RevisionId: what someone writes between our read and our write is never lost. */
import { AddPermissionCommand, RemovePermissionCommand } from '@aws-sdk/client-lambda';
import { SluiceError } from '../../../../model/errors.js';
import { hasCode } from '../../../shared/failures.js';
import { listPolicy, type PolicyStatement, readPolicy } from '../callers/index.js';
import { call, type Session } from '../client.js';
import { address, word } from '../commands.js';
import { isPrecondition } from '../errors.js';
import { fenced } from '../fenced.js';
import { type Permission, permissionOf, samePermission } from './permission.js';

/** Looks at a policy that others keep changing. */
const ROUNDS = 5;

export interface Entry {
  /** The statement's name. */
  sid: string;
  /** Null: the bare name. */
  qualifier: string | null;
  permission: Permission;
}

type Fence = { RevisionId?: string };

/**
 * Adds a permission; one that already exists is done. Errors: SLUICE_BUSY if the name is taken, or someone else keeps
 * writing.
 */
export async function addPermission(session: Session, entry: Entry): Promise<void> {
  await onPolicy(session, entry, async (there, fence) => {
    if (there !== undefined) return check(session, entry, there);
    await call(
      session,
      new AddPermissionCommand({ ...addressed(session, entry), ...entry.permission, ...fence }),
    ).catch(async (error: unknown) => {
      if (isPrecondition(error)) throw error;
      // An attempt before this one may have written it and lost its answer.
      const now = statementOf(await listPolicy(session, entry.qualifier), entry);
      if (now === undefined || !isThat(now, entry)) throw error;
    });
  });
}

/** Removes that permission and no other of its name; one that is gone is done. Errors: as above. */
export async function removePermission(session: Session, entry: Entry): Promise<void> {
  await onPolicy(session, entry, async (there, fence) => {
    if (there === undefined) return;
    check(session, entry, there);
    await call(session, new RemovePermissionCommand({ ...addressed(session, entry), ...fence })).catch(
      (error: unknown) => {
        if (!hasCode(error, 'SLUICE_NOT_FOUND')) throw error;
      },
    );
  });
}

/** Looks, and writes by what it has seen; where the fence refuses that, it looks again. */
async function onPolicy(
  session: Session,
  entry: Entry,
  write: (there: PolicyStatement | undefined, fence: Fence) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const { statements, revision } = await readPolicy(session, entry.qualifier);
    // Without a policy there is no revision, and nothing that could be lost.
    const fence = revision === null ? {} : { RevisionId: revision };
    if ((await fenced(() => write(statementOf(statements, entry), fence))) !== null) return;
  }
  throw new SluiceError(
    'SLUICE_BUSY',
    `the policy of ${address(session)} keeps being changed; permission ${word(entry.sid)} is as it was`,
  );
}

/** The next attempt shows what is there now. */
function check(session: Session, entry: Entry, there: PolicyStatement): void {
  if (isThat(there, entry)) return;
  throw new SluiceError(
    'SLUICE_BUSY',
    `permission ${word(entry.sid)} of ${address(session)} was changed by someone else meanwhile, and is left alone`,
  );
}

function isThat(there: PolicyStatement, { permission }: Entry): boolean {
  const found = permissionOf(there);
  return found !== null && samePermission(found, permission);
}

function statementOf(statements: PolicyStatement[], { sid }: Entry): PolicyStatement | undefined {
  return statements.find(({ Sid }) => Sid === sid);
}

function addressed({ target }: Session, { sid, qualifier }: Entry) {
  return {
    FunctionName: target.function,
    StatementId: sid,
    ...(qualifier === null ? {} : { Qualifier: qualifier }),
  };
}
