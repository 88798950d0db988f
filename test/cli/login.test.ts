import { type Host, run } from '../../src/cli/main.js';
import type { LoginHost } from '../../src/client/index.js';

/** How a person would log in from a command line. */
async function loginOf(argv: string[], env: Record<string, string>, tty: boolean): Promise<LoginHost> {
  let found: LoginHost | null = null;
  const sink = { write: () => undefined, isTTY: tty };
  const host: Host = {
    stdout: sink,
    stderr: sink,
    stdin: async function* () {},
    env,
    cwd: '.',
    signal: new AbortController().signal,
    now: () => 0,
    connect: (_, login) => {
      found = login;
      return Promise.reject(new Error('not asked for'));
    },
    diagnose: () => Promise.reject(new Error('not asked for')),
    hasScreen: () => false,
    openPage: () => Promise.reject(new Error('not asked for')),
  };
  await run(argv, host);
  if (found === null) throw new Error('the command did not connect');
  return found;
}

test.each<[string, string[], Record<string, string>, boolean, Pick<LoginHost, 'when' | 'issuer'>]>([
  ['--login is used before a key', ['--login'], {}, false, { when: 'always', issuer: null }],
  [
    '--login uses the configured provider',
    ['--login'],
    { SLUICE_LOGIN: 'https://a.example' },
    true,
    { when: 'always', issuer: 'https://a.example' },
  ],
  ['SLUICE_LOGIN is used if there is no key', [], { SLUICE_LOGIN: '1' }, false, { when: 'keyless', issuer: null }],
  [
    'SLUICE_LOGIN names the provider',
    [],
    { SLUICE_LOGIN: 'https://a.example' },
    false,
    { when: 'keyless', issuer: 'https://a.example' },
  ],
  ['at a terminal, if it is needed', [], {}, true, { when: 'needed', issuer: null }],
  ['never if it is switched off', [], { SLUICE_LOGIN: '0' }, true, { when: 'never', issuer: null }],
  ['never in a script', [], {}, false, { when: 'never', issuer: null }],
])('a login: %s', async (_, more, env, tty, expected) => {
  expect(await loginOf(['abort', 'checkout/production', ...more], env, tty)).toMatchObject(expected);
});

test('without a screen no browser is opened', async () => {
  const { open } = await loginOf(['abort', 'checkout/production'], {}, true);
  await expect(open('https://a.example')).rejects.toThrow('there is no screen');
});
