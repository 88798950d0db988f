/** From the claims of a verified token to the person or robot in the policy. Pure. */
import { clean } from '../model/text.js';
import { ROBOT } from './logins.js';
import { isReserved, matches, type Policy } from './policy.js';
import { BadToken } from './statement.js';
import type { Subject } from './subject.js';

type Claims = Record<string, unknown>;
type Login = Policy['logins'][number];

/** A name as it can be shown and compared everywhere. */
const STRANGER = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,59}$/;
/** How many groups of a token are read. */
const MOST_GROUPS = 1_000;

/** The person behind a login: one of the policy's, or one with groups that the login maps. Errors: BadToken. */
export function personBy(claims: Claims, login: Login, policy: Policy): Subject {
  const name = nameIn(claims, login);
  const known = Object.entries(policy.people).find(([, each]) => isBy(each, name, login, policy));
  // The same person has the same rights by whatever he signs.
  if (known !== undefined) return { name: known[0], groups: known[1].groups };
  if (!STRANGER.test(name)) {
    throw new BadToken(`the policy does not list ${name}, and ${name} is not a valid name`);
  }
  const taken = Object.keys(policy.people).some((each) => each.toLowerCase() === name.toLowerCase());
  if (taken || isReserved(name)) {
    throw new BadToken(
      `it is by ${name} of ${login.issuer}, who is not the ${name} of the policy; set a login for that person in people:`,
    );
  }
  const groups = groupsIn(claims, login);
  if (groups.length === 0) {
    throw new BadToken(
      `the policy does not list ${name} of ${login.issuer}, and none of this login's groups are mapped`,
    );
  }
  return { name, groups };
}

function nameIn(claims: Claims, { name: claim, issuer }: Login): string {
  const said = claims[claim];
  if (typeof said !== 'string' || said === '' || clean(said, 200) !== said) {
    throw new BadToken(`the login does not say who it is: the claim ${claim} is missing or not a valid name`);
  }
  if (claim !== 'email') return said;
  // Otherwise anyone who can write any address into their account could be anyone.
  if (claims.email_verified !== true) throw new BadToken(`${issuer} has not verified the email ${clean(said, 60)}`);
  return said.toLowerCase();
}

function isBy(person: Policy['people'][string], name: string, { issuer, name: claim }: Login, { logins }: Policy) {
  if (typeof person.login !== 'string' || (person.issuer ?? logins[0]?.issuer) !== issuer) return false;
  return (claim === 'email' ? person.login.toLowerCase() : person.login) === name;
}

function groupsIn(claims: Claims, { groups: claim, mapGroups }: Login): string[] {
  const said = claims[claim];
  const list: unknown[] = Array.isArray(said) ? said.slice(0, MOST_GROUPS) : [said];
  const mapped = list.flatMap((each) =>
    typeof each === 'string' && Object.hasOwn(mapGroups, each) ? [mapGroups[each] ?? ''] : [],
  );
  return [...new Set(mapped)];
}

/** The robot whose repository, ref and workflow are these. Errors: BadToken. */
export function robotBy(claims: Claims, policy: Policy): Subject {
  const { iss, repository, ref } = claims;
  const workflow = claims.job_workflow_ref ?? claims.workflow_ref;
  for (const [name, robot] of Object.entries(policy.robots)) {
    if (robot.issuer !== iss || robot.repository !== repository) continue;
    if (typeof ref !== 'string' || !matches(robot.ref, ref)) continue;
    if (typeof workflow === 'string' && matches(workflowOf(robot.workflow, robot.repository, ref), workflow)) {
      return { name: `${ROBOT}${name}`, groups: [], robot: true };
    }
  }
  throw new BadToken(
    `no robot of the policy is ${clean(repository, 100)} at ${clean(ref, 100)} by ${clean(workflow, 200)}`,
  );
}

/** As GitHub writes it, with the ref that the workflow's own code is from. */
function workflowOf(written: string, repository: string, ref: string): string {
  const whole = written.startsWith('.github/') ? `${repository}/${written}` : written;
  return whole.includes('@') ? whole : `${whole}@${ref}`;
}
