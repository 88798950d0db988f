/** Every call to a store has an end, also where the store is silent or stops in the middle. */
import { Readable } from 'node:stream';
import { azureBlobStore } from '../../src/store/azure-blob.js';
import { drained, heard, Late, within } from '../../src/store/deadline.js';
import type { ObjectStore } from '../../src/store/port.js';
import { s3Store } from '../../src/store/s3.js';
import { silent } from './silent.js';

const WAITS = { silence: 100, bytesPerMs: 1_000 };
const AWAY = { code: 'SLUICE_PROVIDER', message: expect.stringContaining('does not answer') };

const STORES: [string, (url: string) => ObjectStore][] = [
  [
    'S3',
    (url) => {
      Object.assign(process.env, {
        AWS_ENDPOINT_URL: url,
        AWS_ACCESS_KEY_ID: 'worker',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_REGION: 'us-east-1',
      });
      return s3Store({ bucket: 'acme-code', prefix: '' }, WAITS);
    },
  ],
  [
    'Azure Blob',
    (url) => azureBlobStore({ container: `${url}/shop/code`, prefix: '' }, { AZURE_STORAGE_SAS_TOKEN: 'sig=x' }, WAITS),
  ],
];

describe.each(STORES)('%s', (_, open) => {
  test('that never answers is given up', async () => {
    const server = await silent('nothing');
    try {
      const store = open(server.url);
      await Promise.all([
        expect(store.create('a', Buffer.from('a'))).rejects.toMatchObject(AWAY),
        expect(store.read('a', 2_000)).rejects.toMatchObject(AWAY),
        expect(store.move('a', 'b', { tag: '"a"', size: 1 })).rejects.toMatchObject(AWAY),
        expect(store.list('').next()).rejects.toMatchObject(AWAY),
        expect(store.remove('a')).rejects.toMatchObject(AWAY),
      ]);
    } finally {
      await server.close();
    }
  });

  test('that stops in the middle of an answer is given up', async () => {
    const server = await silent('half');
    try {
      const store = open(server.url);
      await Promise.all([
        expect(store.read('a', 2_000)).rejects.toMatchObject(AWAY),
        expect(store.list('').next()).rejects.toMatchObject(AWAY),
      ]);
    } finally {
      await server.close();
    }
  });
});

test('the body of an answer that comes after its deadline may fail and does not end the process', async () => {
  const body = new Readable({ read: () => undefined });
  let answered: Promise<void> = Promise.resolve();
  const late = within(1, (signal) => {
    answered = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })).then(
      () => heard(body),
    );
    return answered;
  });
  await expect(late).rejects.toBeInstanceOf(Late);
  await answered;
  expect(() => body.emit('error', new Error('The operation was aborted.'))).not.toThrow();
});

test('a stream that fails after it was given up does not end the process', async () => {
  const stream = new Readable({ read: () => undefined });
  expect(await drained(stream, { most: 1, size: 5 }, WAITS)).toBeNull();
  expect(() => stream.emit('error', new Error('The operation was aborted.'))).not.toThrow();
});
