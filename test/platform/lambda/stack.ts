import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { type EmulatedAws, startAws } from '../../../emulators/aws/index.js';
import type { Artifact, Spec } from '../../../src/model/spec.js';
import { ALONE, createBudget } from '../../../src/platforms/drivers.js';
import { awsClients, createLambdaDriver } from '../../../src/platforms/lambda/driver/index.js';
import type { PlatformDriver } from '../../../src/platforms/port.js';
import { artifactsIn, type TestArtifacts } from '../../support/artifacts.js';
import { specFor } from '../../support/specs.js';

const REGION = 'us-east-1';

/** A request as it goes out. */
interface Asked {
  headers: Record<string, string>;
  query?: Record<string, unknown>;
}

/** The emulated AWS, a driver on it, and a hand of the test's own beside the driver. */
export interface Stack {
  aws: EmulatedAws;
  driver: PlatformDriver;
  lambda: LambdaClient;
  /** What the driver has sent to Lambda, in order. */
  asked: Asked[];
  /** A spec for a function's alias `live`; `release: {version: 1}` unless given. */
  spec(fn: string, overrides?: Partial<Spec>): Spec;
  /** Packs one file, `index.mjs`, whose handler is `body`. */
  pack(body: string): Promise<Artifact>;
  artifacts: TestArtifacts;
  /** The bytes of what was packed. */
  read(artifact: Artifact): Promise<Buffer>;
  /** Packs one file with this text. */
  packFile(file: string, text: string): Promise<Artifact>;
  stop(): Promise<void>;
}

export { context } from '../../support/context.js';

export async function startStack(options: Parameters<typeof startAws>[0] = {}): Promise<Stack> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-lambda-'));
  // Long enough to be in the way of what comes next.
  const aws = await startAws({ updatingMs: 50, ...options });
  process.env.AWS_ACCESS_KEY_ID = 'test';
  process.env.AWS_SECRET_ACCESS_KEY = 'test';
  process.env.AWS_ENDPOINT_URL = aws.endpoint;
  const clients = awsClients(REGION);
  const asked: Asked[] = [];
  clients.lambda.middlewareStack.add(
    (next) => (args) => {
      asked.push(args.request as Asked);
      return next(args);
    },
    { step: 'finalizeRequest', name: 'seeRequests' },
  );
  const artifacts = artifactsIn(path.join(folder, 'store'));
  const driver = createLambdaDriver({
    clients: () => clients,
    budget: createBudget({ perSecond: 200, share: () => ALONE }),
    artifacts,
  });
  let packed = 0;
  const packFile = async (file: string, text: string) => {
    const code = mkdtempSync(path.join(folder, `code-${++packed}-`));
    await writeFile(path.join(code, file), text);
    return artifacts.pack(code, 'lambda');
  };
  return {
    aws,
    driver,
    asked,
    read: artifacts.read,
    artifacts,
    lambda: new LambdaClient({ endpoint: aws.gatewayUrl, region: REGION }),
    spec: (fn, overrides = {}) =>
      specFor(
        { type: 'canary', stages: [] },
        {
          app: fn,
          target: { platform: 'lambda', function: fn, alias: 'live', region: REGION, account: 'default' },
          release: { version: 1 },
          ...overrides,
        },
      ),
    pack: (body) => packFile('index.mjs', `export const handler = async (event, context) => { ${body} };\n`),
    packFile,
    stop: async () => {
      await aws.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
