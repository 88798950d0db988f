/** A whole approval with a login at a real provider, from the browser to the check that a worker makes. */
import { decodeProtectedHeader } from 'jose';
import { newKey, type Policy, parsePolicy, signerOf } from '../../src/access/index.js';
import { logIn } from '../../src/client/login.js';
import type { Provider } from '../../src/model/access.js';
import { approval, certified, said, signed, workerWith } from './asking.js';
import { browse, CLIENT, startProvider } from './provider.js';

const ACCOUNTS = {
  ben: { email: 'Ben@example.com', email_verified: true },
  cem: { email: 'cem@example.com', email_verified: true, groups: ['platform-team', 'everybody'] },
  dan: { email: 'dan@example.com', email_verified: true, groups: ['everybody'] },
  eve: { email: 'ben@example.com', email_verified: false, groups: ['platform-team'] },
};
const BEN = newKey('ben');

let provider: Awaited<ReturnType<typeof startProvider>>;
let policy: Policy;
let at: Provider;

beforeAll(async () => {
  provider = await startProvider(ACCOUNTS);
  policy = parsePolicy(
    `people:
  ann: {keys: ['${newKey('ann').public}'], login: null}
  ben: {keys: ['${BEN.public}'], login: ben@example.com, groups: [managers]}
logins:
  - issuer: ${provider.issuer}
    clientId: ${CLIENT}
    mapGroups: {platform-team: managers}
rules: [{allow: {approve: ['@managers']}}]`,
    'policy.yaml',
  );
  at = {
    issuer: provider.issuer,
    clientId: CLIENT,
    scopes: ['email', 'profile'],
    claims: ['email', 'email_verified', 'groups'],
  };
});

afterAll(() => provider?.stop());

/** Logs in as somebody, in a browser that ends on `pages`. */
function browser(account: keyof typeof ACCOUNTS, pages: Promise<{ status: number; text: string }>[] = []) {
  const host = {
    when: 'always' as const,
    issuer: null,
    say: () => undefined,
    open: async (url: string) => {
      pages.push(browse(url, account));
    },
  };
  return (nonce: string) => logIn(at, nonce, host, 5_000);
}

const approvalBy = async (account: keyof typeof ACCOUNTS) => {
  const statement = approval();
  return signed(statement, await certified(statement, browser(account)));
};

test('a login counts once, as the person in the policy or as a stranger with a mapped group', async () => {
  const tokens = await Promise.all((['ben', 'cem', 'dan', 'eve'] as const).map(approvalBy));
  tokens.push(tokens[0] ?? '', await signed(approval(), await signerOf(BEN)));
  const { answers } = workerWith(policy);
  expect((await answers(tokens)).map(said)).toEqual([
    'by ben',
    'by cem@example.com',
    `the policy does not list dan@example.com of ${provider.issuer}, and none of this login's groups are mapped`,
    `${provider.issuer} has not verified the email ben@example.com`,
    'it was already used',
    'by ben',
  ]);
  // One person, by whatever he signs.
  expect((await answers(tokens.slice(0, 1), { approved: ['ben'] })).map(said)).toEqual([
    'ben has approved already; 2 different people are needed',
  ]);
});

test("the browser shows the result, and what is sent never contains the provider's token in clear", async () => {
  const pages: Promise<{ status: number; text: string }>[] = [];
  const statement = approval();
  let token = '';
  const key = await certified(statement, async (nonce) => {
    token = await browser('ben', pages)(nonce);
    return token;
  });
  expect(await pages[0]).toMatchObject({ status: 200, text: expect.stringContaining('You are logged in') });
  const sent = await signed(statement, key);
  const { login } = decodeProtectedHeader(sent) as { login: string };
  expect(login.split('.')).toHaveLength(5);
  const [, claims = ''] = token.split('.');
  expect(claims.length).toBeGreaterThan(100);
  const clear = sent.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
  expect([sent, ...clear].some((text) => text.includes(claims) || text.includes('example.com'))).toBe(false);
});

test('an answer to another login is shown as such and changes nothing, and waiting for a login times out', async () => {
  const pages: Promise<Response>[] = [];
  const host = {
    when: 'always' as const,
    issuer: null,
    say: () => undefined,
    open: async (url: string) => {
      const back = new URL(new URL(url).searchParams.get('redirect_uri') ?? '');
      back.search = '?code=stolen&state=guessed';
      pages.push(fetch(back));
    },
  };
  await expect(logIn(at, 'nonce', host, 300)).rejects.toThrow('nobody logged in within 300ms');
  const page = await pages[0];
  expect([page?.status, await page?.text()]).toEqual([400, expect.stringContaining('belongs to another login')]);
});

test('a login that the provider refuses is reported in the browser and in the terminal', async () => {
  const pages: Promise<{ status: number; text: string }>[] = [];
  const wrong = { ...at, scopes: ['profile'], clientId: 'another' };
  const said: string[] = [];
  const host = {
    when: 'always' as const,
    issuer: null,
    say: (text: string) => void said.push(text),
    open: async (url: string) => {
      const back = new URL(new URL(url).searchParams.get('redirect_uri') ?? '');
      back.search = `?error=access_denied&error_description=<b>no</b>&state=${new URL(url).searchParams.get('state')}`;
      pages.push(browse(back.href, 'ben'));
      throw new Error('no browser');
    },
  };
  await expect(logIn(wrong, 'nonce', host)).rejects.toMatchObject({
    code: 'SLUICE_ACCESS',
    message: `the login at ${provider.issuer} failed: access_denied <b>no</b>`,
  });
  expect((await pages[0])?.text).toContain('access_denied &lt;b&gt;no&lt;/b&gt;');
  expect(said).toEqual([
    expect.stringContaining(`to sign this, log in at ${provider.issuer}`),
    expect.stringContaining('no browser could be opened'),
  ]);
});
