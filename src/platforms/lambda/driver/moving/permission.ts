/** A statement of a function's policy as the call that writes it. Pure. */
import type { AddPermissionCommandInput } from '@aws-sdk/client-lambda';
import type { PolicyStatement } from '../callers/index.js';

/** What AddPermission takes beside names. */
export type Permission = Omit<AddPermissionCommandInput, 'FunctionName' | 'StatementId' | 'Qualifier'>;

/** The conditions that AddPermission writes, by operator and key, in lower case ("AddPermission", "Using resource-based policies"). */
const CONDITIONS: Record<string, keyof Permission> = {
  // IAM: both operators do the same.
  'arnlike aws:sourcearn': 'SourceArn',
  'arnequals aws:sourcearn': 'SourceArn',
  'stringequals aws:sourceaccount': 'SourceAccount',
  'stringequals lambda:eventsourcetoken': 'EventSourceToken',
  'stringequals aws:principalorgid': 'PrincipalOrgID',
};

/** Null if AddPermission would write less, more or something else: what lets someone call is never guessed. */
export function permissionOf({ Effect, Principal, Action, Condition }: PolicyStatement): Permission | null {
  const principal = principalText(Principal);
  if (Effect !== 'Allow' || Action !== 'lambda:InvokeFunction' || principal === null) return null;
  const permission: Permission = { Action, Principal: principal };
  for (const [operator, keys] of Object.entries(Condition ?? {})) {
    for (const [key, value] of Object.entries((keys ?? {}) as object)) {
      const field = CONDITIONS[`${operator} ${key}`.toLowerCase()];
      if (field === undefined || typeof value !== 'string' || field in permission) return null;
      Object.assign(permission, { [field]: value });
    }
  }
  return permission;
}

/** Whether both let the same callers in. */
export function samePermission(a: Permission, b: Permission): boolean {
  const text = (of: Permission) => JSON.stringify(Object.entries(of).sort(([x], [y]) => (x < y ? -1 : 1)));
  return text(a) === text(b);
}

function principalText(principal: unknown): string | null {
  if (principal === '*') return '*';
  if (typeof principal !== 'object' || principal === null) return null;
  const [[kind, name] = [], ...more] = Object.entries(principal);
  if (more.length > 0 || typeof name !== 'string') return null;
  if (kind === 'Service') return name;
  // An account appears in a policy as its root, and is given by its number.
  return kind === 'AWS' ? (/^arn:[\w-]+:iam::(\d{12}):root$/.exec(name)?.[1] ?? name) : null;
}
