/** What was sent: to the emulated clouds and to servers outside. Each call that must carry a secret names the one it may. */

import type { Answer, Call } from '../../emulators/http.js';
import { verifySignature } from '../../src/notify/index.js';
import type { Gathered, PlaceName } from './gathered.js';
import { SECRETS } from './marks.js';
import type { World } from './world.js';

type Own = (mark: string) => boolean;

const NONE: Own = () => false;
const ENVIRONMENT: Own = (mark) => mark.startsWith('environment-');
/** Secrets whose reference begins so: what a store answers. */
const from =
  (store: string): Own =>
  (mark) =>
    Object.entries(SECRETS).some(([name, reference]) => name === mark && reference.startsWith(`secret://${store}/`));

/** What each call is made to carry; the first that matches. `said` is method, path and, on AWS, the target. */
const CARRIES: { said: RegExp; asks?: Own; answers?: Own }[] = [
  { said: /^POST .* AmazonSSM\.GetParameter$/, answers: from('aws-ssm') },
  { said: /^POST .* secretsmanager\.GetSecretValue$/, answers: from('aws-secretsmanager') },
  { said: /^GET \/vaults\//, answers: from('azure-keyvault') },
  { said: /^POST .*\/oauth2\/v2\.0\/token$/, asks: (mark) => mark === 'azure-client-secret' },
  // Creating a function, and its configuration.
  { said: /^POST \/2015-03-31\/functions$/, asks: ENVIRONMENT, answers: ENVIRONMENT },
  { said: /^PUT \/2015-03-31\/functions\/[^/]+\/configuration$/, asks: ENVIRONMENT, answers: ENVIRONMENT },
  // The settings of a site, and of each kept release beside its package.
  { said: /^PUT .*\/config\/appsettings$/i, asks: ENVIRONMENT, answers: ENVIRONMENT },
  { said: /^PUT \/api\/vfs\/data\/sluice\/r-\w+\.json$/, asks: ENVIRONMENT },
  // What the clouds know already, and what releases answer and log of themselves.
  { said: /./, answers: ENVIRONMENT },
];

/** Bearer tokens that were sent, each where it belongs. */
export function bearersIn({ calls }: World): Set<string> {
  return new Set(calls.flatMap(({ call }) => /^Bearer (\S+)$/.exec(call.headers.authorization ?? '')?.[1] ?? []));
}

/** Answers the marks that came where they belong beside the clouds. */
export function gatherRequests({ calls, receiver, marks }: World, to: Gathered): Set<string> {
  for (const { cloud, call, answer } of calls) {
    const place: PlaceName = cloud === 'aws' ? 'AWS requests' : 'Azure requests';
    const said = saidOf(call);
    const { asks = NONE, answers = NONE } = CARRIES.find((one) => one.said.test(said)) ?? {};
    to.add(place, said, asked(call), asks);
    const isToken = said.endsWith('/oauth2/v2.0/token');
    if (answer !== null)
      to.add(place, `answer to ${said}`, answered(answer), isToken ? (mark) => mark.startsWith('bearer') : answers);
  }
  const arrived = new Set<string>();
  for (const { kind, app, rest, secrets, signed } of receiver.received) {
    to.add(kind === 'probe' ? 'probe requests' : kind === 'hook' ? 'webhook requests' : 'metric requests', app, rest);
    for (const [name, value] of Object.entries(marks.secrets)) {
      if (secrets.some((secret) => secret === value || secret === `Bearer ${value}`)) arrived.add(name);
    }
    if (signed !== null && verifySignature({ secret: marks.secrets['webhook-secret'], ...signed }))
      arrived.add('webhook-secret');
  }
  return arrived;
}

function saidOf({ method, path, headers }: Call): string {
  const target = headers['x-amz-target'];
  return `${method} ${path.split('?')[0]}${target === undefined ? '' : ` ${String(target)}`}`;
}

/** The token stands in its header, and nowhere else. */
function asked({ method, path, headers, body }: Call): Buffer {
  const { authorization, ...others } = headers;
  const own = authorization?.startsWith('Bearer ') ? 'Bearer' : authorization;
  return Buffer.concat([Buffer.from(`${method} ${path}\n${JSON.stringify({ ...others, own })}\n`), body]);
}

function answered({ status, headers, body }: Answer): Buffer {
  return Buffer.concat([Buffer.from(`${status}\n${JSON.stringify(headers)}\n`), body]);
}
