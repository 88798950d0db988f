/** A key for one statement, certified by a login in the browser or by the CI that runs this. */
import { audienceOf, type CertifiedKey, nonceOf, robotAudience, sealTo, statementKey } from '../access/index.js';
import type { Statement, WorkerIdentity } from '../model/access.js';
import { SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';
import type { Link } from './connect.js';
import { asked } from './helper-run.js';
import { logIn } from './login.js';
import { robotToken } from './robot.js';

/** Whether the user may be asked. `needed`: it is refused without a signature. */
export function mayAsk({ login, robot }: Link, needed: boolean): boolean {
  return robot !== null || asksPerson(login, needed);
}

/** Null where nobody can be asked, or nothing need be signed. Errors: SLUICE_ACCESS for a login that failed, SLUICE_NO_WORKER. */
export async function certifiedFor(link: Link, statement: Statement, needed: boolean): Promise<CertifiedKey | null> {
  if (!mayAsk(link, needed)) return null;
  const worker = await asked<WorkerIdentity>(link, 'workerIdentity', 'how to log in');
  const { encryption } = worker;
  if (worker.policy === null || encryption === null) return null;
  const once = statementKey();
  const nonce = await nonceOf(once.jwk, statement);
  const { login, robot } = link;
  if (asksPerson(login, needed)) {
    const token = await logIn(providerOf(worker, login.issuer), nonce, login);
    return { ...once, certificate: { by: 'login', sealed: await sealTo(encryption, token) } };
  }
  if (robot === null || !worker.robots) return null;
  const token = await robotToken(robot, robotAudience(audienceOf(link.namespace), nonce));
  return { ...once, certificate: { by: 'robot', sealed: await sealTo(encryption, token) } };
}

function asksPerson({ when }: Link['login'], needed: boolean): boolean {
  return when === 'always' || when === 'keyless' || (needed && when === 'needed');
}

function providerOf({ logins }: WorkerIdentity, issuer: string | null) {
  const found = issuer === null ? logins[0] : logins.find((each) => each.issuer === issuer);
  if (found !== undefined) return found;
  const there = logins.map((each) => each.issuer).join(', ');
  throw new SluiceError(
    'SLUICE_ACCESS',
    logins.length === 0
      ? 'the policy has no logins; sign with a key (`sluice key`)'
      : `the policy has no login of ${clean(issuer, 200)}; there is ${there}`,
  );
}
