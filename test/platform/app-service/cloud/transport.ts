/** The double in the place of the network, for the SDK and for plain requests. */
import { createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline';
import { azureClients } from '../../../../activities/platform/app-service/index.js';
import { ARM, type Cloud, type Reply } from './cloud.js';

const TOKEN = 'a token that nobody may see';

/** The driver's clients, with nothing but their transport changed. */
export function clientsOf(cloud: Cloud): ReturnType<typeof azureClients> {
  return azureClients({
    subscription: 'sub',
    region: 'westeurope',
    env: { SLUICE_AZURE_ENDPOINT: ARM },
    credential: { getToken: async () => ({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }) },
    transport: {
      httpClient: sdkClient(cloud),
      send: async (url, { method = 'GET', headers = {}, body = '', signal }) => {
        signal.throwIfAborted();
        const reply = await cloud.receive({ method, url: new URL(url), body: Buffer.from(body), signal });
        if (url.includes('.scm.test') && !headers.authorization?.includes(TOKEN))
          return { status: 401, headers: {}, body: Buffer.alloc(0) };
        return { status: reply.status, headers: reply.headers ?? {}, body: bytesOf(reply) };
      },
    },
  });
}

function sdkClient(cloud: Cloud): HttpClient {
  return {
    async sendRequest(request) {
      const signal = request.abortSignal as AbortSignal | undefined;
      signal?.throwIfAborted();
      const body = typeof request.body === 'string' ? request.body : '';
      const { method, url } = request;
      const reply = await cloud.receive({ method, url: new URL(url), body: Buffer.from(body), signal });
      return {
        request,
        status: reply.status,
        headers: createHttpHeaders({ 'content-type': 'application/json', ...reply.headers }),
        bodyAsText: bytesOf(reply).toString('utf8'),
      };
    },
  };
}

function bytesOf({ body }: Reply): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
