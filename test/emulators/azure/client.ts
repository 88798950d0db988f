/** The emulated Azure, as the unmodified SDK and a plain HTTPS client see it. */
import { setTimeout as pause } from 'node:timers/promises';
import { WebSiteManagementClient } from '@azure/arm-appservice';
import { ClientSecretCredential } from '@azure/identity';
import type { EmulatedAzure } from '../../../emulators/azure/index.js';
import { createSend, type HttpAnswer, type HttpRequest } from '../../../src/platforms/app-service/driver/http.js';
import { NEVER } from '../../support/until.js';

export const GROUP = 'shop';

/** Where an emulated Azure is, in this process or in another. */
export type Reached = Pick<EmulatedAzure, 'endpoint' | 'subscription' | 'env' | 'ca'>;

/** The SDK with nothing changed but endpoint, authority and certificate authority. */
export function sdk(azure: Reached, retries = 0): WebSiteManagementClient {
  const { env, ca } = azure;
  const credential = new ClientSecretCredential(
    env.AZURE_TENANT_ID ?? '',
    env.AZURE_CLIENT_ID ?? '',
    env.AZURE_CLIENT_SECRET ?? '',
    { authorityHost: azure.endpoint, disableInstanceDiscovery: true, tlsOptions: { ca } },
  );
  return new WebSiteManagementClient(credential, azure.subscription, {
    endpoint: azure.endpoint,
    tlsOptions: { ca },
    retryOptions: { maxRetries: retries },
  });
}

export interface Asked extends Partial<HttpRequest> {
  /** Signed with a token for Kudu. */
  token?: string;
}

/** One plain request; never follows a redirect. */
export async function ask(
  azure: Reached,
  url: string,
  { token, headers = {}, ...rest }: Asked = {},
): Promise<HttpAnswer> {
  const send = createSend(azure.ca);
  const signed = token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
  return send(url, { signal: AbortSignal.timeout(NEVER), headers: signed, ...rest });
}

export async function tokenOf(azure: Reached): Promise<string> {
  const { env } = azure;
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: env.AZURE_CLIENT_ID ?? '',
    client_secret: env.AZURE_CLIENT_SECRET ?? '',
    scope: 'https://management.azure.com/.default',
  });
  const answer = await ask(azure, `${azure.endpoint}/${env.AZURE_TENANT_ID}/oauth2/v2.0/token`, {
    method: 'POST',
    body: body.toString(),
  });
  return (JSON.parse(answer.body.toString('utf8')) as { access_token: string }).access_token;
}

/** Hosts of a site or slot, as ARM names them. */
export async function hosts(
  client: WebSiteManagementClient,
  site: string,
  slot?: string,
): Promise<{ host: string; scm: string }> {
  const found =
    slot === undefined ? await client.webApps.get(GROUP, site) : await client.webApps.getSlot(GROUP, site, slot);
  const scm = found.hostNameSslStates?.find(({ hostType }) => hostType === 'Repository')?.name;
  return { host: found.defaultHostName ?? '', scm: scm ?? '' };
}

/** Publishes a package and waits until Kudu and ARM say that it runs. Answers the deployment's id. */
export async function publish(azure: EmulatedAzure, scm: string, zip: Buffer): Promise<string> {
  const token = await tokenOf(azure);
  const sent = await ask(azure, `https://${scm}/api/publish?type=zip&async=true&clean=true`, {
    method: 'POST',
    body: zip,
    token,
  });
  if (sent.status !== 202) throw new Error(`publish: ${sent.status} ${sent.body.toString('utf8')}`);
  const id = sent.headers['scm-deployment-id'] ?? '';
  await until(async () => {
    const { body } = await ask(azure, `https://${scm}/api/deployments/${id}`, { token });
    return (JSON.parse(body.toString('utf8')) as { complete: boolean }).complete;
  });
  await until(async () => {
    const all = azure.state.sites
      .flatMap((site) => [site.production, ...site.slots])
      .flatMap((slot) => slot.content.deployments);
    return all.find((one) => one.id === id)?.runtime !== 'RuntimeStarting';
  });
  return id;
}

export async function until(is: () => Promise<boolean>, within = NEVER): Promise<void> {
  const end = Date.now() + within;
  while (!(await is())) {
    if (Date.now() > end) throw new Error(`not so within ${within} ms`);
    await pause(20);
  }
}

/** What the application says. */
export async function said(
  azure: Reached,
  host: string,
  asked: Asked & { path?: string } = {},
): Promise<Record<string, string> & { status: number; cookie: string }> {
  const answer = await ask(azure, `https://${host}${asked.path ?? '/'}`, asked);
  const text = answer.body.toString('utf8');
  const parsed = text.startsWith('{') ? (JSON.parse(text) as Record<string, string>) : { text };
  return Object.assign(parsed, { status: answer.status, cookie: answer.headers['set-cookie'] ?? '' }) as never;
}
