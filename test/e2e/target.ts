/** One stack for the end-to-end tests of a file, and the words they speak in: every test has an app, a function, of its own. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { GetAliasCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { run } from '../../src/cli/main.js';
import { connect, diagnoseFrom, type Sluice, type StartAnswer } from '../../src/client/index.js';
import { awsEnv } from '../../src/demo/clouds/lambda.js';
import { type StackOptions, startStack } from '../../src/demo/stack.js';
import { parseMark } from '../../src/model/ids.js';
import type { RolloutView } from '../../src/model/view.js';
import type { OnNewRelease, Phase, Strategy } from '../../src/model/words.js';
import { ACTIONS } from '../../src/platforms/lambda/driver/permissions.js';
import { ROOT } from '../support/tools.js';
import { NEVER, until } from '../support/until.js';

export interface Said {
  code: number;
  out: string;
  err: string;
}

type Fields = Record<string, unknown>;

export type World = Awaited<ReturnType<typeof startWorld>>;

/** The worker's role: what docs/platforms.md shows, and the stores of secrets. */
const WORKER = [...Object.values(ACTIONS).flat(), 'ssm:GetParameter', 'secretsmanager:GetSecretValue'];

/** `workerEnv`: the worker's own settings, made in the world's folder. */
export async function startWorld(
  name: string,
  workerEnv: (folder: string) => Record<string, string> = () => ({}),
  options: Pick<StackOptions, 'beforeWrite'> = {},
) {
  const folder = path.join(ROOT, '.sluice', 'e2e', `${name}-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const own = workerEnv(folder);
  const stack = await startStack(folder, { workerEnv: own, roles: { demo: WORKER }, ...options });
  const env = { TEMPORAL_ADDRESS: stack.temporal.address, SLUICE_STORE: stack.store, USER: 'ann' };
  const sluice = await connect({ env });
  const clients: Sluice[] = [sluice];
  const lambda = new LambdaClient({
    endpoint: stack.aws.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'person' },
  });
  const at = (app: string) => ({ app, environment: 'production' });

  const world = {
    stack,
    sluice,
    lambda,
    at,
    folder,

    /** The environment of the stack's worker. */
    workerEnv: { ...awsEnv(stack.aws.endpoint), ...own },

    diagnose: () => diagnoseFrom({ env }, []),

    /** A client with a connection of its own; `browser` of a person who looks on. */
    client: async (more: Record<string, string> = {}, browser?: (url: string) => Promise<unknown>) => {
      const open = async (page: string) => void browser?.(page);
      const login = { when: 'needed' as const, issuer: null, open, say: () => undefined };
      const client = await connect({ env: { ...env, ...more }, ...(browser === undefined ? {} : { login }) });
      clients.push(client);
      return client;
    },

    start: async (app: string, by: string, fields: Fields, onNewRelease: OnNewRelease = 'reject', client = sluice) => {
      const input = specOf(app, fields);
      const { type } = input.strategy as { type: Strategy };
      return client.start({ ...at(app), type, input, onNewRelease, by });
    },

    /** Waits for the end of the release that an answer is about, or of a run. */
    end: async (app: string, of: StartAnswer | { run: string }, client = sluice): Promise<RolloutView> => {
      const whom = 'ticket' in of ? { ticket: of.ticket } : { run: of.run };
      const signal = AbortSignal.timeout(NEVER);
      const { view, ended } = await client.wait(at(app), 'done', { ...whom, signal });
      if (view === null || !ended) throw new Error(`the rollout of ${app} has not ended; it is ${view?.phase}`);
      return view;
    },

    undo: async (app: string, args: object = {}): Promise<string> => {
      const { run } = await sluice.undo(at(app), { by: 'ben', ...args });
      return String(run);
    },

    /** Ends the look of an undo, a minute by default, as soon as it looks and `seen` is true of it. */
    undone: async (
      app: string,
      run: string,
      seen: (view: RolloutView) => boolean = () => true,
    ): Promise<RolloutView> => {
      await until('the look', async () => {
        const { view } = await sluice.status(at(app));
        return view?.run === run && view.phase === 'baking' && seen(view);
      });
      await sluice.verb(at(app), 'skip', { by: 'the test, for time' });
      return world.end(app, { run });
    },

    /** Waits until the rollout of this run, or any, is in a phase. */
    phase: (app: string, phase: Phase, run?: string): Promise<RolloutView> =>
      until(`${app} ${phase}`, async () => {
        const { view } = await sluice.status(at(app));
        return view?.phase === phase && (run === undefined || view.run === run) ? view : null;
      }),

    ledger: async (app: string) => (await sluice.releases(app, 'production'))[0] ?? null,

    alias: async (app: string, name = 'live') => {
      const found = await lambda.send(new GetAliasCommand({ FunctionName: app, Name: name }));
      const weights = found.RoutingConfig?.AdditionalVersionWeights ?? {};
      return { version: found.FunctionVersion, weights, description: found.Description ?? '' };
    },

    /** Runs by the marks of the writes that the cloud took, in the order of effect; a run that writes again after another is there twice. */
    writers: (app: string): string[] =>
      stack.aws
        .writes()
        .filter((write) => write.function === app && write.error === null)
        .map((write) => parseMark(write.request.description)?.run)
        .filter((writer): writer is string => writer !== undefined)
        .filter((writer, index, all) => writer !== all[index - 1]),

    /** A rollout.yaml of the app, in a folder of its own. */
    file: (app: string, fields: Fields): string => {
      const file = path.join(mkdtempSync(path.join(folder, `${app}-`)), 'rollout.yaml');
      // YAML holds all of JSON.
      writeFileSync(file, JSON.stringify(specOf(app, fields), null, 2));
      return file;
    },

    /** `sluice ARGV` in this process; `browser` is shown what is opened. */
    cli: async (
      argv: string[],
      cwd = folder,
      more: Record<string, string> = {},
      browser?: (url: string) => Promise<unknown>,
    ): Promise<Said> => {
      const said = { out: '', err: '' };
      const sink = (to: 'out' | 'err') => ({
        write: (text: string) => {
          said[to] += text;
        },
      });
      const code = await run(argv, {
        stdout: sink('out'),
        stderr: sink('err'),
        env: { ...env, ...more },
        cwd,
        signal: AbortSignal.timeout(NEVER),
        now: () => Date.now(),
        connect: async (_, login) => connect({ env: { ...env, ...more }, login }),
        diagnose: () => Promise.reject(new Error('no test asks for it')),
        stdin: async function* () {},
        hasScreen: () => browser !== undefined,
        openPage: async (page) => void browser?.(page),
      });
      return { code, ...said };
    },

    stop: async () => {
      lambda.destroy();
      for (const client of clients) await client.close();
      await stack.stop();
    },
  };
  return world;
}

let releases = 0;

/** A spec whose code is a release of its own each time, unless `release` says which. */
export function specOf(app: string, fields: Fields): Fields {
  return {
    app,
    environment: 'production',
    target: { function: app, alias: 'live', region: 'us-east-1' },
    release: { folder: path.join(ROOT, 'examples', 'checkout', 'v1') },
    configuration: {
      runtime: 'nodejs20.x',
      handler: 'index.handler',
      role: 'arn:aws:iam::000000000000:role/checkout',
      ...('release' in fields ? {} : { environment: { RELEASE: String(++releases) } }),
    },
    health: {
      judge: { minRequests: 1 },
      probes: [{ name: 'smoke', invoke: { payload: {} }, every: '50ms', smoke: 1 }],
      metrics: [],
    },
    ...fields,
  };
}

export const DIRECT = { strategy: { type: 'direct', bake: '200ms' } };
export const SLOW = {
  strategy: {
    type: 'canary',
    stages: [
      { weight: '10%', bake: '1h' },
      { weight: '100%', bake: '200ms' },
    ],
  },
};
export const QUICK = {
  strategy: {
    type: 'canary',
    stages: [
      { weight: '50%', bake: '200ms' },
      { weight: '100%', bake: '200ms' },
    ],
  },
};
