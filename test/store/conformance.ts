/** What every artifact store must do, whatever it is made of. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { ObjectStore, Stored } from '../../src/store/port.js';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function all(store: ObjectStore, prefix: string): Promise<Stored[]> {
  const found: Stored[] = [];
  for await (const each of store.list(prefix)) found.push(each);
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** `open` gives the same store each time, as another process would see it. */
export function storeSuite(name: string, open: () => ObjectStore): void {
  describe(`${name} as a store`, () => {
    const folder = () => `default/app-${randomUUID()}`;

    test('keeps what is created, byte for byte, for whoever opens it', async () => {
      const key = `${folder()}/${'a'.repeat(64)}.zip`;
      const bytes = randomBytes(300_000);
      expect(await open().create(key, bytes)).toBe(true);
      const read = await open().read(key, bytes.length);
      expect(read === null ? null : sha256(read)).toBe(sha256(bytes));
    });

    test('never overwrites: what is there stays, and that is no error', async () => {
      const key = `${folder()}/x.zip`;
      const store = open();
      await store.create(key, Buffer.from('first'));
      expect(await open().create(key, Buffer.from('second'))).toBe(false);
      expect((await store.read(key, 100))?.toString()).toBe('first');
    });

    test('of many who create the same at once, one does', async () => {
      const key = `${folder()}/x.zip`;
      const stores = Array.from({ length: 8 }, () => open());
      const made = await Promise.all(stores.map((store, n) => store.create(key, Buffer.from(`by ${n}`))));
      const [winner, ...others] = made.flatMap((was, n) => (was ? [n] : []));
      expect(others).toEqual([]);
      expect((await stores[0]?.read(key, 100))?.toString()).toBe(`by ${winner}`);
    });

    test('keeps an empty object, and one whose name is odd', async () => {
      const store = open();
      const [empty, odd] = [`${folder()}/empty`, `${folder()}/a b%2Fc+ü.zip`];
      await store.create(empty, new Uint8Array());
      await store.create(odd, Buffer.from('odd'));
      expect((await store.read(empty, 0))?.length).toBe(0);
      expect((await store.read(odd, 10))?.toString()).toBe('odd');
    });

    test('answers null for what is not there, and refuses what is too large unread', async () => {
      const store = open();
      const key = `${folder()}/x.zip`;
      expect(await store.read(key, 100)).toBeNull();
      await store.create(key, Buffer.alloc(101));
      await expect(store.read(key, 100)).rejects.toMatchObject({ code: 'SLUICE_ARTIFACT' });
    });

    test('lists by prefix, with sizes and the times of its own clock, and nothing that is not whole', async () => {
      const store = open();
      const at = folder();
      const before = Date.now();
      await store.create(`${at}/one.zip`, Buffer.alloc(3));
      await store.create(`${at}/one.zip.used/2026-11-30`, Buffer.alloc(0));
      await store.create(`${at}-other/two.zip`, Buffer.alloc(1));
      const found = await all(store, `${at}/`);
      expect(found.map(({ key, bytes }) => [key, bytes])).toEqual([
        [`${at}/one.zip`, 3],
        [`${at}/one.zip.used/2026-11-30`, 0],
      ]);
      // A store of the cloud knows seconds.
      for (const { at: time } of found) expect(time).toBeGreaterThan(before - 2_000);
      expect(await all(store, `${folder()}/`)).toEqual([]);
    });

    test('moves aside, so that the key is free; what is gone already is moved by nobody', async () => {
      const store = open();
      const at = folder();
      await store.create(`${at}/x.zip`, Buffer.from('wrong'));
      await store.move(`${at}/x.zip`, `${at}/x.zip.wrong/1`);
      expect(await store.read(`${at}/x.zip`, 100)).toBeNull();
      expect((await store.read(`${at}/x.zip.wrong/1`, 100))?.toString()).toBe('wrong');
      await store.move(`${at}/x.zip`, `${at}/x.zip.wrong/2`);
      expect(await store.create(`${at}/x.zip`, Buffer.from('right'))).toBe(true);
    });

    test('removes, and what is gone already is no error', async () => {
      const store = open();
      const key = `${folder()}/x.zip`;
      await store.create(key, Buffer.from('x'));
      await store.remove(key);
      await store.remove(key);
      expect(await store.read(key, 100)).toBeNull();
    });
  });
}
