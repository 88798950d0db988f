/** A world with a policy: people with keys and with a login, a CI, and what they say. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { newKey, parsePolicy, sign, signerOf } from '../../src/access/index.js';
import type { Sluice } from '../../src/client/index.js';
import { readKey } from '../../src/key-file.js';
import type { Statement } from '../../src/model/access.js';
import { CLIENT, startProvider } from '../access/provider.js';
import { startRunner } from '../access/runner.js';
import { QUICK, startWorld } from './target.js';

/** Who is who; `eve` has a key that the policy does not know. */
const PEOPLE = { ann: ['developers'], ben: ['managers'], cem: ['managers'], dan: [], eve: null } as const;
export type Name = keyof typeof PEOPLE;
export const GATED = {
  strategy: {
    type: 'canary',
    stages: [
      { weight: '50%', bake: '100ms', approval: { within: '1h' } },
      { weight: '100%', bake: '100ms' },
    ],
  },
};

/** The job of a workflow that may start, as GitHub says it. */
const JOB = {
  repository: 'acme/shop',
  ref: 'refs/heads/main',
  job_workflow_ref: 'acme/shop/.github/workflows/release.yml@refs/heads/main',
};

export type People = Awaited<ReturnType<typeof startPeople>>;

/** `apps` have a first release, so that there is something to attack. */
export async function startPeople(name: string, apps: string[]) {
  const provider = await startProvider({ ben: { email: 'ben@example.com', email_verified: true } });
  const runner = await startRunner(JOB);
  const keyFile = (folder: string, who: string) => path.join(folder, 'keys', `${who}.json`);
  const world = await startWorld(name, (folder) => {
    mkdirSync(path.join(folder, 'keys'), { recursive: true });
    const people = Object.entries(PEOPLE).map(([name, groups]) => {
      const key = newKey(name);
      writeFileSync(keyFile(folder, name), JSON.stringify(key), { mode: 0o600 });
      return groups === null
        ? ''
        : `  ${name}: {keys: ['${key.public}'], groups: [${groups.join(', ')}], login: ${name === 'ben' ? 'ben@example.com' : null}}\n`;
    });
    const policy = path.join(folder, 'policy.yaml');
    writeFileSync(
      policy,
      `people:\n${people.join('')}logins: [{issuer: '${provider.issuer}', clientId: ${CLIENT}}]
robots:
  shop-ci:
    issuer: ${runner.issuer}
    repository: acme/shop
    ref: refs/heads/main
    workflow: .github/workflows/release.yml
rules:
  - environment: production
    allow:
      start: ['@developers', 'robot:shop-ci']
      approve: ['@managers']
      skip: ['@developers']
      override: [ben]
      undo: ['@developers', ben]
      hold: [ben]
      unhold: [ben]
      moveCallers: [cem]
    approvals: {people: 2, notStarter: true}
    floors: {strategies: [canary], health: required}
`,
    );
    // Every rollout continues as new on its way, and gets a grant for each of its runs.
    return {
      SLUICE_POLICY: policy,
      SLUICE_GRANT_KEY: randomBytes(32).toString('base64'),
      SLUICE_CONTINUE_AT: '60,2000',
    };
  });
  const { SLUICE_POLICY = '', SLUICE_GRANT_KEY = '' } = world.workerEnv;
  const clients = {} as Record<Name, Sluice>;
  for (const who of Object.keys(PEOPLE) as Name[]) {
    clients[who] = await world.client({ SLUICE_KEY: keyFile(world.folder, who) });
  }
  const people = {
    world,
    provider,
    runner,
    clients,
    /** What a worker goes by, for another one of the same kind. */
    policyEnv: { SLUICE_POLICY, SLUICE_GRANT_KEY },
    policyDigest: parsePolicy(readFileSync(SLUICE_POLICY, 'utf8'), SLUICE_POLICY).digest,

    /** Temporal as anybody has it who may write to the namespace. */
    temporal: world.stack.client,

    /** Whose key a command signs with. */
    keyOf: (who: Name) => keyFile(world.folder, who),

    start: (app: string, fields: object, by: Name = 'ann') =>
      world.start(app, by, { ...fields }, 'reject', clients[by]),

    signedBy: async (who: Name, statement: Statement, more: { audience?: string; now?: number } = {}) => {
      const file = readKey(keyFile(world.folder, who));
      if (file === null) throw new Error(`${who} has no key`);
      const by = { audience: 'sluice:default', now: Date.now(), valid: 60_000, ...more };
      return sign(statement, await signerOf(file), by);
    },

    stop: async () => {
      await world.stop();
      await runner.stop();
      provider.stop();
    },
  };
  const firsts = await Promise.all(apps.map(async (app) => world.end(app, await people.start(app, QUICK))));
  expect(firsts.map(({ outcome }) => outcome)).toEqual(apps.map(() => 'succeeded'));
  return people;
}

/** The arguments of the workflow, then what each activity was asked and answered. */
export function inputs({ events }: { events?: unknown }): unknown[] {
  type Payloads = { payloads?: { data?: Uint8Array }[] };
  const found: unknown[] = [];
  for (const event of (events ?? []) as Record<string, { input?: Payloads; result?: Payloads } | undefined>[]) {
    for (const attributes of Object.values(event)) {
      for (const { data } of attributes?.input?.payloads ?? attributes?.result?.payloads ?? []) {
        if (data != null && data.length > 0) found.push(JSON.parse(Buffer.from(data).toString()));
      }
    }
  }
  return found;
}
