import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Effect, releaseIn, rulesOf, startAzure, type Write } from '../../../emulators/azure/index.js';
import { appServiceUsers, SITE } from '../../../src/demo/clouds/app-service.js';
import type { CloudFault, Ground, OnWrite } from '../ground.js';

const FAULTS: Record<CloudFault, Effect> = {
  throttle: { status: 429, headers: { 'retry-after': '1' } },
  serverError: { status: 500 },
  reset: { reset: true },
  lostAnswer: { lost: true },
};

/** Says which release it is; what else it does is in `answer`. */
const server = (answer: string) => `import { createServer } from 'node:http';
const { SLUICE_RELEASE: release, PORT } = process.env;
let calls = 0;
createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  const { user } = JSON.parse(text || '{}');
  const failed = request.url !== '/health' && (${answer});
  response.writeHead(failed ? 500 : 200, { 'x-release': release, 'content-type': 'application/json' });
  response.end(JSON.stringify({ release }));
}).listen(Number(PORT), '127.0.0.1');
`;

/** The good one answers, the bad one passes its smoke test and then fails. */
const SERVERS = {
  good: server('false'),
  bad: server("!(user === 'probe' && calls++ === 0) && Math.random() < 0.6"),
};

export async function appServiceGround(onWrite?: OnWrite): Promise<Ground> {
  const azure = await startAzure({
    throttle: false,
    ...(onWrite === undefined
      ? {}
      : {
          afterWrite: async (write: Write) =>
            isTraffic(write) ? onWrite({ swap: write.operation === 'SwapSlot' }) : undefined,
        }),
  });
  const site = await azure.createSite(SITE);
  return {
    env: azure.env,
    users: () => appServiceUsers(azure, SITE.name),
    writeExamples: (folder) => {
      for (const [name, code] of Object.entries(SERVERS)) {
        mkdirSync(path.join(folder, name), { recursive: true });
        writeFileSync(path.join(folder, name, 'server.mjs'), code);
        writeFileSync(path.join(folder, name, 'package.json'), '{ "scripts": { "start": "node server.mjs" } }');
      }
    },
    spec: (round, examples) => ({
      target: {
        platform: 'app-service',
        site: SITE.name,
        slot: 'staging',
        resourceGroup: SITE.resourceGroup,
        account: azure.subscription,
        region: 'westeurope',
      },
      release: { folder: path.join(examples, round.good ? 'good' : 'bad') },
      // Each round is a release of its own.
      configuration: { environment: { ROUND: String(round.number) }, marker: '/health' },
      probe: { invoke: { payload: { method: 'POST', path: '/', body: { user: 'probe' } } } },
    }),
    state: async () => {
      const version = releaseIn(site.production);
      if (version === null) return null;
      const left = [
        ...(rulesOf(site).length > 0 ? [`rules are left: ${JSON.stringify(rulesOf(site))}`] : []),
        ...(site.prepared === null ? [] : [`the slot ${site.prepared} is left half swapped`]),
        ...(site.operation === null ? [] : ['a swap still runs']),
      ];
      return { version, left };
    },
    fault: async (kind) =>
      azure.faults.set([{ operations: ['UpdateConfiguration', 'SwapSlot'], times: 2, effect: FAULTS[kind] }]),
    heal: async () => azure.faults.clear(),
    writes: () => {
      const writes = azure.writes().filter(isTraffic);
      const swaps = writes.filter(({ operation }) => operation === 'SwapSlot');
      return writes.map((write) => {
        const {
          seq,
          mark,
          rules: [rule],
        } = write;
        const [, own = null] = /(sluice:\S+)/.exec(mark) ?? [];
        // One that is accepted can still fail in its warm-up and change nothing; nothing else changes what production runs.
        const at = swaps.indexOf(write);
        const after = swaps[at + 1]?.production ?? releaseIn(site.production);
        return {
          seq,
          mark: own,
          weight: rule?.reroutePercentage ?? null,
          swap: at >= 0 && after !== write.production,
        };
      });
    },
    holdSwap: () => {
      azure.faults.set([{ operations: ['Swap'], times: 1, effect: { hangs: true } }]);
      return true;
    },
    stop: () => azure.stop(),
  };
}

function isTraffic({ operation, status, slot }: Write): boolean {
  return status < 300 && (operation === 'SwapSlot' || (operation === 'UpdateConfiguration' && slot === null));
}
