/** A runner of GitHub Actions: gives a job's tokens to whoever has the job's secret, signed by an issuer that publishes its key. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OAuth2Server } from 'oauth2-mock-server';

const SECRET = 'the secret of the job';

/** `claims`: of the job. */
export async function startRunner(claims: Record<string, string>) {
  const server = new OAuth2Server();
  await server.issuer.keys.generate('ES256');
  await server.start(0, '127.0.0.1');
  const given: string[] = [];
  const runner = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://runner');
    const fits = request.headers.authorization === `Bearer ${SECRET}` && searchParams.get('api-version') === '2.0';
    if (!fits) return void response.writeHead(401).end();
    const aud = searchParams.get('audience');
    const token = server.issuer.buildToken({
      scopesOrTransform: (_, payload) => void Object.assign(payload, claims, { aud }),
    });
    void token.then((value) => {
      given.push(value);
      response.end(JSON.stringify({ value }));
    });
  });
  await new Promise<void>((resolve) => runner.listen(0, '127.0.0.1', resolve));
  return {
    issuer: server.issuer.url ?? '',
    /** Every token that was given. */
    given,
    env: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${(runner.address() as AddressInfo).port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: SECRET,
    },
    stop: async () => {
      runner.close();
      runner.closeAllConnections();
      await server.stop();
    },
  };
}
