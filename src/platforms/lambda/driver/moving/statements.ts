/**
 * The permissions of a function's callers, copied to its alias. The copy's name says what it is of, so that a permission which was
 * taken from the bare name can be given back from its copy.
 */
import { digestOf } from '../../../../access/index.js';
import { clean, duration } from '../../../../model/text.js';
import { hasCode } from '../../../shared/failures.js';
import {
  type Counted,
  countBareCalls,
  countCalls,
  isBare,
  LOOK_BACK,
  listPolicy,
  type PolicyStatement,
  principalOf,
} from '../callers/index.js';
import type { Session } from '../client.js';
import { address, word } from '../commands.js';
import { byHand, type Way } from './by-hand.js';
import { type Permission, permissionOf, samePermission } from './permission.js';
import { addPermission, removePermission } from './policy.js';
import type { Planned } from './step.js';

/** What the name of a copy begins with. */
const COPY = 'sluice-moved-';
/** Longest name of a statement ("AddPermission"). */
const LONGEST_SID = 100;

/** Each permission of the bare name for the alias too; off the bare name once it has one and nobody has called that for long. */
export async function forAlias(session: Session, way: Way, stack: string | null): Promise<Planned[]> {
  const { alias } = session.target;
  const bare = (await listPolicy(session, null)).filter(({ Resource }) => isBare(textOf(Resource)));
  const copies = await listPolicy(session, alias);
  const calls = await counted(() => countBareCalls(session, Date.now()));
  const steps: Planned[] = [];
  for (const statement of bare) {
    const sid = textOf(statement.Sid);
    const permission = permissionOf(statement);
    const name = named(statement);
    const copy = copies.find(({ Sid }) => Sid === COPY + sid);
    const copied = copy === undefined ? null : permissionOf(copy);
    if (permission === null || COPY.length + sid.length > LONGEST_SID || (copy !== undefined && copied === null)) {
      const text = `${name} cannot be copied as it is: create one for ${way.to} the way its owner did, under another name`;
      steps.push({ id: `allow/${sid}`, kind: 'hand', text, run: null });
      continue;
    }
    if (copied !== null && !samePermission(copied, permission)) {
      const text = `${name} was changed since it was copied to ${way.to} as ${COPY}${clean(sid)}: remove that copy, and Sluice adds it again`;
      steps.push({ id: `allow/${sid}`, kind: 'hand', text, run: null });
      continue;
    }
    if (copied === null) {
      steps.push({
        id: `allow/${sid}/${digestOf(permission)}`,
        kind: 'do',
        text: `let ${principalOf(statement.Principal)} call ${way.to} too, as ${name} does for ${way.from}`,
        run: () => addPermission(session, { sid: COPY + sid, qualifier: alias, permission }),
      });
    }
    steps.push(...removal(session, way, { sid, name, copied: copied !== null, calls, stack, permission }));
  }
  if (bare.length === 0 && calls.found !== null && calls.found !== undefined) {
    const text = `${said(calls.found)} by ${way.from}: whoever makes them (SDKs, Step Functions, schedules) names ${address(session)}, or ${way.to}`;
    steps.push({ id: 'calls', kind: 'hand', text, run: null });
  }
  return steps;
}

interface Removal {
  sid: string;
  name: string;
  copied: boolean;
  calls: Calls;
  stack: string | null;
  permission: Permission;
}

/** What is left of a permission of the bare name: its caller is pointed at the alias, and then it goes. */
function removal(session: Session, way: Way, of: Removal): Planned[] {
  const { sid, name, calls, stack } = of;
  const id = `remove/${sid}`;
  const hand: Planned = {
    id: `point/${sid}`,
    kind: 'hand',
    text: `point the caller of ${name} at the alias: ${byHand(of.permission, way)}`,
    run: null,
  };
  const later = (why: string): Planned[] => [hand, { id, kind: 'later', text: `remove ${name} ${why}`, run: null }];
  if (calls.found === undefined) return later(`once calls can be counted (${calls.why})`);
  if (calls.found !== null) return later(`once its calls have stopped: ${said(calls.found)} by ${way.from}`);
  if (!of.copied) return later('with the next run, if there are no calls by then');
  if (stack !== null) {
    const text = `${name} may belong to the stack ${stack}: in its template give the permission \`FunctionName: ${way.to}\` and deploy the stack`;
    return [{ id, kind: 'hand', text, run: null }];
  }
  const text = `remove ${name}: nobody has called ${way.from} for ${duration(LOOK_BACK)}, and its copy for ${way.to} stays`;
  return [
    { id, kind: 'do', text, run: () => removePermission(session, { sid, qualifier: null, permission: of.permission }) },
  ];
}

/** Back from the copies. A copy goes once nobody calls the alias. */
export async function forBare(session: Session, way: Way): Promise<Planned[]> {
  const { function: fn, alias } = session.target;
  const bare = (await listPolicy(session, null)).filter(({ Resource }) => isBare(textOf(Resource)));
  const copies = (await listPolicy(session, alias)).filter(({ Sid }) => textOf(Sid).startsWith(COPY));
  if (copies.length === 0) return [];
  const calls = await counted(() => countCalls(session, [`${fn}:${alias}`], Date.now()));
  const back: Way = { from: way.to, to: way.from };
  return copies.flatMap((copy): Planned[] => {
    const copySid = textOf(copy.Sid);
    const sid = copySid.slice(COPY.length);
    const permission = permissionOf(copy);
    if (permission === null) {
      const text = `${named(copy)} of ${way.to} was changed and cannot be restored automatically`;
      return [{ id: `copy/${sid}`, kind: 'hand', text, run: null }];
    }
    const there = bare.some(({ Sid }) => Sid === sid);
    const again: Planned = {
      id: `again/${sid}/${digestOf(permission)}`,
      kind: 'do',
      text: `let ${principalOf(copy.Principal)} call ${way.from} again (permission ${word(sid)})`,
      run: () => addPermission(session, { sid, qualifier: null, permission }),
    };
    const id = `copy/${sid}/${digestOf(permission)}`;
    const copied = `${named(copy)}, the copy for ${way.to}`;
    const why = calls.found === undefined ? `calls can be counted (${calls.why})` : 'nobody calls the alias any more';
    const rest: Planned[] =
      calls.found === null
        ? [
            {
              id,
              kind: 'do',
              text: `remove ${copied}`,
              run: () => removePermission(session, { sid: copySid, qualifier: alias, permission }),
            },
          ]
        : [
            {
              id: `point/${sid}`,
              kind: 'hand',
              text: `if its caller was pointed at the alias, point it back: ${byHand(permission, back)}`,
              run: null,
            },
            { id, kind: 'later', text: `remove ${copied}, once ${why}`, run: null },
          ];
    return [...(there ? [] : [again]), ...rest];
  });
}

interface Calls {
  /** Undefined: they cannot be counted. */
  found: Counted | null | undefined;
  why: string;
}

async function counted(count: () => Promise<Counted | null>): Promise<Calls> {
  try {
    return { found: await count(), why: '' };
  } catch (error) {
    if (hasCode(error, 'SLUICE_PERMISSION', 'SLUICE_REFUSED')) return { found: undefined, why: error.message };
    throw error;
  }
}

function said({ calls, until }: Counted): string {
  const last = new Date(until).toISOString().slice(0, 16).replace('T', ' ');
  return `${calls} calls in the last ${duration(LOOK_BACK)}, the last before ${last} UTC`;
}

function named({ Sid, Principal }: PolicyStatement): string {
  return `permission ${word(textOf(Sid))} (${principalOf(Principal)})`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
