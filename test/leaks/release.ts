/** What is rolled out: functions and sites that log and answer all the secrets they were given, and the specs around them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { PlatformName } from '../../src/model/spec.js';
import type { RolloutType } from '../../src/model/words.js';
import { IN_RELEASE, SECRETS } from './marks.js';

/** All that the release has of secrets, as text and in base64, as careless code says it. */
const SAID = `Object.entries(process.env).filter(([name]) => name.startsWith('LEAK_'))`;

/** The good one answers it, the bad one passes its smoke test and then fails with it; both log it. */
const lambda = (bad: boolean) => `let calls = 0;
const said = JSON.stringify(${SAID});
export const handler = async (event) => {
  console.log('ERROR I have', said, Buffer.from(said).toString('base64'));
  if (${bad} && !(event.user === 'probe' && calls++ === 0)) throw new Error('I cannot go on with ' + said);
  return { statusCode: 200, body: said };
};
`;

const site = (bad: boolean) => `import { createServer } from 'node:http';
const said = JSON.stringify(${SAID});
let calls = 0;
createServer((request, response) => {
  const failed = ${bad} && request.url === '/page' && calls++ > 0;
  if (request.url === '/page') console.error(new Error('I cannot go on with ' + said + Buffer.from(said).toString('base64')));
  response.writeHead(failed ? 500 : 200, { 'x-release': process.env.SLUICE_RELEASE });
  response.end(JSON.stringify({ release: process.env.SLUICE_RELEASE, said }));
}).listen(Number(process.env.PORT), '127.0.0.1');
`;

/** Writes the releases of a platform below a folder. */
export function writeReleases(folder: string): void {
  for (const quality of ['good', 'bad']) {
    const files: Record<string, string> = {
      'lambda/index.mjs': lambda(quality === 'bad'),
      'app-service/server.mjs': site(quality === 'bad'),
      'app-service/package.json': '{ "scripts": { "start": "node server.mjs" } }',
    };
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(folder, quality, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }
}

export interface SpecAsked {
  app: string;
  platform: PlatformName;
  strategy: Exclude<RolloutType, 'undo'>;
  bad: boolean;
  /** Each is a release of its own. */
  number: number;
  /** Folder of the releases. */
  releases: string;
  /** Address of the servers outside. */
  receiver: string;
  subscription: string;
  /** With a decision of a person before the last stage. */
  approval?: boolean;
  /** Watched time at each weight. */
  bake?: string;
}

const secret = (name: keyof typeof SECRETS): string => SECRETS[name];

/** A spec with secrets everywhere they may stand. */
export function specOf(asked: SpecAsked): Record<string, unknown> {
  const { app, platform, receiver } = asked;
  const release = { folder: path.join(asked.releases, asked.bad ? 'bad' : 'good', platform) };
  const environment = {
    RELEASE: String(asked.number),
    ...Object.fromEntries(IN_RELEASE.map((name) => [`LEAK_${name.toUpperCase().replaceAll('-', '_')}`, secret(name)])),
  };
  const page = { payload: platform === 'lambda' ? { user: 'probe' } : { method: 'GET', path: '/page' } };
  return {
    app,
    environment: 'production',
    ...(platform === 'lambda'
      ? {
          target: { platform, function: app, alias: 'live', region: 'us-east-1' },
          configuration: {
            runtime: 'nodejs20.x',
            handler: 'index.handler',
            role: 'arn:aws:iam::000000000000:role/checkout',
            environment,
          },
        }
      : {
          target: {
            ...{ platform, site: app, slot: 'staging', resourceGroup: 'shop' },
            ...{ account: asked.subscription, region: 'westeurope' },
          },
          configuration: { environment, marker: '/release' },
        }),
    release,
    strategy: strategyOf(asked),
    health: {
      probes: [
        { name: 'own', invoke: page, every: '100ms', smoke: 1, latency: '5s' },
        {
          name: 'page',
          http: { url: `${receiver}/probe/${app}/{version}`, headers: { 'x-probe-key': secret('probe-header') } },
          expect: { path: '$.echo' },
          ...{ every: '100ms', smoke: 1, latency: '1s' },
        },
      ],
      metrics: [
        {
          name: 'counts',
          http: {
            url: `${receiver}/metric/${app}/{version}?from={from}&to={to}`,
            headers: { 'x-counts-key': secret('metric-header') },
            ...{ requests: '$.requests', errors: '$.errors' },
            ...{ every: '1s', window: '5s', delay: '0s', token: secret('metric-token') },
          },
        },
        {
          name: 'series',
          prometheus: {
            url: `${receiver}/prometheus/${app}`,
            ...{ requests: 'requests{release="{version}"}', errors: 'errors{release="{version}"}' },
            ...{ every: '1s', window: '5s', delay: '0s', token: secret('prometheus-token') },
          },
          dryRun: true,
        },
      ],
      judge: { minRequests: 1, onUndecided: 'promote', onNoData: 'promote', probeBack: false },
    },
    notify: [{ webhook: `${receiver}/hook/${app}`, secret: secret('webhook-secret') }],
    deadlines: { probe: '10s', deploy: '60s', shift: '60s', stuckAfter: '60s' },
    rollbackWindow: '1h',
  };
}

function strategyOf({ strategy, approval = false, bake = '400ms' }: SpecAsked): Record<string, unknown> {
  const decision = approval ? { approval: { within: '1h' } } : {};
  switch (strategy) {
    case 'direct':
    case 'blueGreen':
      return { type: strategy, bake, ...decision };
    case 'canary':
      return {
        type: strategy,
        stages: [
          { weight: '50%', bake, ...decision },
          { weight: '100%', bake },
        ],
      };
    case 'linear':
      return { type: strategy, step: '50%', interval: bake, bake, ...decision };
  }
}
