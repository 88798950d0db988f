/** A real Temporal server with TLS between all its parts, certificates asked of clients, and an authorizer. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { freePort, listens, type Running, startProcess } from '../../emulators/process.js';
import { makeAuthority } from '../support/certificates.js';

/** Of the tokens that the server takes. */
export const AUDIENCE = 'temporal.internal';

export interface SecuredTemporal {
  address: string;
  /** The environment of a client with a certificate, and with a token of these permissions (`default:write`); null: without one. */
  env(permissions: string[] | null, audience?: string, subject?: string): Promise<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts it in `folder` on free ports of loopback. Its namespaces are none yet. */
export async function startSecuredTemporal(program: string, folder: string): Promise<SecuredTemporal> {
  mkdirSync(folder, { recursive: true });
  const keep = (name: string, text: string) => {
    const file = path.join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const authority = await makeAuthority('the cluster');
  const own = await authority.issue({ name: 'server', hosts: ['127.0.0.1', 'temporal.internal'] });
  const mine = await authority.issue({ name: 'client' });
  const files = {
    ca: keep('ca.pem', authority.ca),
    cert: keep('server.pem', own.cert),
    key: keep('server.key', own.key),
    clientCert: keep('client.pem', mine.cert),
    clientKey: keep('client.key', mine.key),
  };
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', use: 'sig', alg: 'RS256' };
  const jwks = keep('jwks.json', JSON.stringify({ keys: [jwk] }));
  const ports = await manyPorts(10);
  // JSON is YAML.
  const dynamic = keep('dynamic.yaml', JSON.stringify({ 'frontend.enablePrincipalPropagation': [{ value: true }] }));
  const config = keep('config.yaml', JSON.stringify(configOf(files, { jwks, dynamic }, ports), null, 1));
  const services = ['frontend', 'internal-frontend', 'history', 'matching', 'worker'];
  const [port = 0] = ports;
  const server: Running = await startProcess({
    name: 'the Temporal server',
    command: program,
    args: ['--config-file', config, 'start', ...services.flatMap((each) => ['--service', each])],
    ready: () => listens(port),
    within: 60_000,
    logFile: path.join(folder, 'temporal.log'),
  });
  const address = `127.0.0.1:${port}`;
  return {
    address,
    env: async (permissions, audience = AUDIENCE, subject = 'somebody') => ({
      TEMPORAL_ADDRESS: address,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: files.ca,
      TEMPORAL_TLS_SERVER_NAME: 'temporal.internal',
      TEMPORAL_TLS_CLIENT_CERT_PATH: files.clientCert,
      TEMPORAL_TLS_CLIENT_KEY_PATH: files.clientKey,
      ...(permissions === null
        ? {}
        : {
            TEMPORAL_API_KEY: await new SignJWT({ permissions })
              .setProtectedHeader({ alg: 'RS256', kid: 'one' })
              .setSubject(subject)
              .setAudience(audience)
              .setExpirationTime('1h')
              .sign(privateKey),
          }),
    }),
    stop: () => server.kill9(),
  };
}

type Files = Record<'ca' | 'cert' | 'key' | 'clientCert' | 'clientKey', string>;

function configOf(files: Files, { jwks, dynamic }: { jwks: string; dynamic: string }, ports: number[]): object {
  const tls = {
    server: { certFile: files.cert, keyFile: files.key, requireClientAuth: true, clientCaFiles: [files.ca] },
    client: { serverName: 'temporal.internal', rootCaFiles: [files.ca] },
  };
  const store = {
    sql: {
      pluginName: 'sqlite',
      databaseName: 'sluice',
      connectAddr: 'localhost',
      connectProtocol: 'tcp',
      connectAttributes: { mode: 'memory', cache: 'shared', setup: 'true' },
      maxConns: 1,
      maxIdleConns: 1,
    },
  };
  const rpc = (at: number) => ({ rpc: { grpcPort: ports[at], membershipPort: ports[at + 1], bindOnLocalHost: true } });
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'memory',
      visibilityStore: 'memory',
      numHistoryShards: 1,
      datastores: { memory: store },
    },
    global: {
      membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' },
      tls: { frontend: tls, internode: tls },
      authorization: {
        authorizer: 'default',
        claimMapper: 'default',
        audience: AUDIENCE,
        permissionsClaimName: 'permissions',
        jwtKeyProvider: { keySourceURIs: [`file://${jwks}`] },
      },
    },
    services: {
      frontend: rpc(0),
      'internal-frontend': rpc(2),
      history: rpc(4),
      matching: rpc(6),
      worker: rpc(8),
    },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: `127.0.0.1:${ports[0]}` },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: dynamic, pollInterval: '10s' },
  };
}

async function manyPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}
