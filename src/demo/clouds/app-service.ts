/** App Service, emulated: the site `checkout` with a slot. */
import { Agent, request } from 'node:https';
import { type EmulatedAzure, startAzure } from '../../../emulators/azure/index.js';
import type { Cloud, Users } from '../cloud.js';

export const SITE = { name: 'checkout', resourceGroup: 'shop', slots: ['staging'] };

export async function startAppService(): Promise<Cloud> {
  const azure = await startAzure();
  await azure.createSite(SITE);
  return {
    platform: 'app-service',
    api: { name: 'Azure Resource Manager', url: azure.endpoint },
    env: azure.env,
    users: () => appServiceUsers(azure, SITE.name),
    takenBackAt: () =>
      azure
        .writes()
        .findLast(
          ({ operation, status, mark }) =>
            operation === 'UpdateConfiguration' && status === 200 && mark.endsWith(':restore'),
        )?.time ?? null,
    stop: () => azure.stop(),
  };
}

/** Users of a site, each with a browser of his own: the router draws for each of them. */
export function appServiceUsers(azure: EmulatedAzure, site: string): Users {
  const agent = new Agent({ keepAlive: true, ca: azure.ca });
  return {
    ask: (user, cart) =>
      new Promise((resolve) => {
        const lost = (error: Error) => resolve({ version: '?', failed: true, why: String(error) });
        const url = `https://${azure.azure.hostOf(site, null)}/`;
        const sent = request(url, { agent, method: 'POST', timeout: 60_000 }, (response) => {
          const { 'x-release': release } = response.headers;
          const version = typeof release === 'string' ? release : '?';
          const failed = (response.statusCode ?? 500) >= 400;
          response.resume();
          response.once('error', lost);
          const why = version === '?' ? { why: `status ${response.statusCode}` } : {};
          response.once('end', () => resolve({ version, failed: failed || version === '?', ...why }));
        });
        sent.once('timeout', () => sent.destroy(new Error('no answer within 60 s')));
        sent.once('error', lost);
        sent.end(JSON.stringify({ user, cart }));
      }),
    close: () => agent.destroy(),
  };
}
