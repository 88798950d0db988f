/** S3 as a store, on the emulated AWS: with the rights that each side has, and between processes that share no folder. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { type EmulatedAws, startAws } from '../../emulators/aws/index.js';
import { openArtifacts } from '../../src/store/index.js';
import { s3Store } from '../../src/store/s3.js';
import { breaking } from './breaking.js';
import { storeSuite } from './conformance.js';
import { packed } from './packing-process.js';

const BUCKET = 'acme-code';
const WORKER = ['s3:GetObject', 's3:PutObject', 's3:PutObject over another', 's3:DeleteObject', 's3:ListBucket'];
let aws: EmulatedAws;
let home: string;

/** This process's credentials: those of who has this role. */
function as(role: string, endpoint = aws.endpoint): void {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: role,
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'us-east-1',
  });
}

const store = () => s3Store({ bucket: BUCKET, prefix: 'sluice/' });

beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-s3-'));
  aws = await startAws({ roles: { creator: ['s3:PutObject'], worker: WORKER, nobody: [] } });
  as('owner');
  const s3 = new S3Client({ forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  s3.destroy();
});
beforeEach(() => as('worker'));
afterAll(async () => {
  await aws?.stop();
  rmSync(home, { recursive: true, force: true });
});

storeSuite('S3', store);

test('someone who may only create can store code, repeatedly, and do nothing else', async () => {
  as('creator');
  const creator = store();
  expect(await creator.create('default/shop/a.zip', Buffer.from('a'))).toBe(true);
  expect(await creator.create('default/shop/a.zip', Buffer.from('b'))).toBe(false);
  const refused = (action: string) => ({
    code: 'SLUICE_PERMISSION',
    message: expect.stringContaining(`the artifact store s3://${BUCKET}/sluice/ refuses ${action}`),
  });
  await expect(creator.read('default/shop/a.zip', 10)).rejects.toMatchObject(refused('s3:GetObject'));
  await expect(creator.move('default/shop/a.zip', 'x', { tag: '"a"', size: 1 })).rejects.toMatchObject(
    refused('s3:PutObject'),
  );
  await expect(creator.remove('default/shop/a.zip')).rejects.toMatchObject(refused('s3:DeleteObject'));
  await expect(creator.list('').next()).rejects.toMatchObject(refused('s3:ListBucket'));
  as('nobody');
  await expect(store().create('default/shop/b.zip', Buffer.from('b'))).rejects.toMatchObject(refused('s3:PutObject'));
});

test('one process packs and stores with only the right to create; another reads', async () => {
  const artifact = await packed(home, {
    SLUICE_STORE: `s3://${BUCKET}/{account}/{region}`,
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_ACCESS_KEY_ID: 'creator',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'us-east-1',
  });
  const worker = openArtifacts({
    setting: `s3://${BUCKET}/{account}/{region}`,
    namespace: 'default',
    env: {},
    cwd: home,
  });
  const of = { app: 'shop', target: { account: 'prod', region: 'eu-west-1' } };
  expect(await worker.of(of).read(artifact)).toHaveLength(artifact.bytes);
  expect(await worker.of(of).inS3(artifact)).toEqual({
    bucket: BUCKET,
    key: `prod/eu-west-1/default/shop/${artifact.sha256}.zip`,
    region: 'us-east-1',
  });
});

test('an interrupted upload is repeated, and so is one whose answer was lost', async () => {
  const proxy = await breaking(aws.endpoint, ['body', 'answer']);
  try {
    as('worker', proxy.url);
    const bytes = randomBytes(2_000_000);
    // Its second try was done, and the third finds what it has left.
    await store().create('default/shop/broken.zip', bytes);
    expect(proxy.broken()).toEqual(['body', 'answer']);
    expect((await store().read('default/shop/broken.zip', bytes.length))?.bytes?.equals(bytes)).toBe(true);
  } finally {
    await proxy.close();
  }
});

test('a missing bucket and an unavailable store are reported by name', async () => {
  await expect(s3Store({ bucket: 'no-such-bucket', prefix: '' }).create('a', Buffer.alloc(1))).rejects.toMatchObject({
    code: 'SLUICE_SETUP',
    message: expect.stringContaining('create the bucket, or correct SLUICE_STORE'),
  });
  const proxy = await breaking(aws.endpoint, ['body', 'body', 'body', 'body', 'body']);
  try {
    as('worker', proxy.url);
    await expect(store().create('default/shop/away.zip', Buffer.alloc(1))).rejects.toMatchObject({
      code: 'SLUICE_PROVIDER',
    });
  } finally {
    await proxy.close();
  }
});
