/** A CI's token: what a workflow of GitHub Actions gets from its runner, where its job has `permissions: id-token: write`. */
import { isSafe } from '../access/index.js';
import { SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';

/** Longest wait for the runner's answer, in ms. */
const WITHIN = 10_000;

/** Where the runner gives tokens, and the secret that it asks for. */
export interface RobotHost {
  url: string;
  secret: string;
}

/** Null outside of GitHub Actions, and for a job without the permission. */
export function robotHost(env: Record<string, string | undefined>): RobotHost | null {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret = '' } = env;
  return url === '' || secret === '' ? null : { url, secret };
}

/** A token for the audience. Errors: SLUICE_ACCESS. */
export async function robotToken({ url, secret }: RobotHost, audience: string): Promise<string> {
  const failed = (why: string) => new SluiceError('SLUICE_ACCESS', `GitHub Actions gave no token: ${why}`);
  if (!isSafe(url)) throw failed('ACTIONS_ID_TOKEN_REQUEST_URL is not an https address');
  const address = new URL(url);
  address.searchParams.set('audience', audience);
  try {
    const answer = await fetch(address, {
      headers: { authorization: `Bearer ${secret}`, accept: 'application/json' },
      signal: AbortSignal.timeout(WITHIN),
      redirect: 'error',
    });
    if (!answer.ok) throw failed(`the runner answered ${answer.status}`);
    const { value } = (await answer.json()) as { value?: unknown };
    if (typeof value === 'string') return value;
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw failed(clean(error instanceof Error ? error.message : error, 200));
  }
  throw failed('the response of the runner contains none');
}
