/** docker-compose.yml without a container engine: its schema by a validator, its references by hand. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../support/tools.js';

interface Service {
  image?: string;
  build?: string;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: unknown;
  command?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  configs?: { source: string }[];
  ports?: string[];
}

interface Compose {
  services: Record<string, Service>;
  volumes?: Record<string, unknown>;
  configs?: Record<string, unknown>;
}

const FILE = path.join(ROOT, 'docker-compose.yml');
const text = readFileSync(FILE, 'utf8');

/** Names that the worker reads from its environment, besides the SDKs' own. */
const WORKER_READS = new Set(
  ['src/worker/config.ts', 'src/worker/process.ts'].flatMap(
    (file) => readFileSync(path.join(ROOT, file), 'utf8').match(/SLUICE_[A-Z_]+/g) ?? [],
  ),
);

/** What of a compose file points at nothing, or at too much. Empty when all is well. */
function faults(compose: Compose): string[] {
  return Object.entries(compose.services).flatMap(([name, service]) => [
    ...dependencyFaults(compose, name, service),
    ...mountFaults(compose, name, service),
    ...(service.ports ?? [])
      .filter((port) => !port.startsWith('127.0.0.1:'))
      .map((port) => `${name}: port ${port} is open to the network`),
    ...(service.build !== undefined || /:\d/.test(service.image ?? '') ? [] : [`${name}: the image has no pinned tag`]),
    ...Object.keys(service.environment ?? {})
      .filter((key) => key.startsWith('SLUICE_') && !WORKER_READS.has(key))
      .map((key) => `${name}: nobody reads ${key}`),
    ...hostFaults(compose, name, service),
  ]);
}

function dependencyFaults(compose: Compose, name: string, service: Service): string[] {
  return Object.entries(service.depends_on ?? {}).flatMap(([other, { condition }]) => {
    const needed = compose.services[other];
    if (needed === undefined) return [`${name}: depends on ${other}, which is no service`];
    if (condition === 'service_healthy' && needed.healthcheck === undefined) return [`${other} has no healthcheck`];
    const ends = needed.command !== undefined;
    if ((condition === 'service_completed_successfully') !== ends) return [`${name}: waits for ${other} the wrong way`];
    return [];
  });
}

function mountFaults(compose: Compose, name: string, service: Service): string[] {
  const named = (service.volumes ?? [])
    .map((volume) => /^([a-z][\w-]*):/.exec(volume)?.[1])
    .filter((volume) => volume !== undefined);
  return [
    ...named
      .filter((volume) => !(volume in (compose.volumes ?? {})))
      .map((volume) => `${name}: volume ${volume} is not declared`),
    ...(service.configs ?? [])
      .filter(({ source }) => !(source in (compose.configs ?? {})))
      .map(({ source }) => `${name}: config ${source} is not declared`),
  ];
}

/** `service:port` in an environment must be a service. */
function hostFaults(compose: Compose, name: string, service: Service): string[] {
  const hosts = Object.entries(service.environment ?? {}).flatMap(([key, value]) => {
    if (/_(HOST|SEEDS)$/.test(key) && /^[a-z]+$/.test(value)) return [value];
    return /^([a-z]+):\d+$/.exec(value)?.[1] ?? [];
  });
  return hosts.filter((host) => !(host in compose.services)).map((host) => `${name}: ${host} is no service`);
}

/** `${NAME}` as compose reads it, its innermost first: whether it has a default or is asked for. */
function unguarded(source: string): string[] {
  return [
    ...source
      .replace(/^\s*#.*$/gm, '')
      .replaceAll('$$', '')
      .matchAll(/\$\{(\w+)(:?[-?])?/g),
  ]
    .filter(([, name, guard]) => guard === undefined && name !== 'PWD')
    .map(([, name]) => name as string);
}

describe('docker-compose.yml', () => {
  const compose = parse(text) as Compose;

  test('is valid by the schema of compose files', () => {
    const program = path.join(ROOT, 'node_modules', '.bin', 'dclint');
    // Its warnings are about the order of keys.
    const { status, stdout } = spawnSync(program, ['--color=false', '--quiet', FILE], { cwd: ROOT, encoding: 'utf8' });
    expect({ status, said: stdout.trim() }).toEqual({ status: 0, said: '' });
  });

  test('refers only to things that exist', () => {
    expect(faults(compose)).toEqual([]);
  });

  test('requires every variable without a default', () => {
    expect(unguarded(text)).toEqual([]);
    expect(unguarded(text.replace(':-default@us-east-1', ''))).toEqual(['SLUICE_ACCOUNTS']);
  });

  test('contains no secret', () => {
    const secrets = Object.values(compose.services).flatMap(({ environment = {} }) =>
      Object.entries(environment).filter(([key]) => /PASSWORD|PWD|SECRET|TOKEN|ACCESS_KEY/.test(key)),
    );
    expect(secrets.length).toBeGreaterThan(0);
    for (const [key, value] of secrets) expect(`${key}=${value}`).toMatch(/=\$\{\w+:(\?.+|-)\}$/);
  });

  test('builds from a Dockerfile whose sources exist and which runs as an ordinary user', () => {
    const dockerfile = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8');
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources]) =>
      (sources as string).split(' '),
    );
    expect(copied.length).toBeGreaterThan(5);
    for (const source of copied) expect([source, existsSync(path.join(ROOT, source))]).toEqual([source, true]);
    expect(dockerfile).toMatch(/^USER node$/m);
  });

  test.each<[string, (broken: Compose) => void, string]>([
    [
      'a missing service',
      ({ services }) => {
        (services.ui as Service).depends_on = { cassandra: { condition: 'service_started' } };
      },
      'ui: depends on cassandra, which is no service',
    ],
    [
      'a missing volume',
      (broken) => {
        broken.volumes = {};
      },
      'postgresql: volume database is not declared',
    ],
    [
      'a missing healthcheck',
      ({ services }) => {
        delete (services.postgresql as Service).healthcheck;
      },
      'postgresql has no healthcheck',
    ],
    [
      'a wrong host',
      ({ services }) => {
        (services.worker as Service).environment = { TEMPORAL_ADDRESS: 'tempral:7233' };
      },
      'worker: tempral is no service',
    ],
    [
      'an open port',
      ({ services }) => {
        (services.ui as Service).ports = ['8080:8080'];
      },
      'ui: port 8080:8080 is open to the network',
    ],
    [
      'a variable that nobody reads',
      ({ services }) => {
        (services.worker as Service).environment = { SLUICE_ACOUNTS: 'x' };
      },
      'worker: nobody reads SLUICE_ACOUNTS',
    ],
  ])('would fail with %s', (_name, harm, fault) => {
    const broken = parse(text) as Compose;
    harm(broken);
    expect(faults(broken)).toContain(fault);
  });
});
