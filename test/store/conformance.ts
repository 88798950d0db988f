/** What every artifact store must do, whatever it is made of. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Found, ObjectStore, Stored } from '../../src/store/port.js';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function all(store: ObjectStore, prefix: string): Promise<Stored[]> {
  const found: Stored[] = [];
  for await (const each of store.list(prefix)) found.push(each);
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function found(store: ObjectStore, key: string): Promise<Found> {
  const read = await store.read(key, 100);
  if (read === null) throw new Error(`${key} is not there`);
  return read;
}

async function text(store: ObjectStore, key: string): Promise<string | undefined> {
  return (await found(store, key)).bytes?.toString();
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
      expect(sha256(read?.bytes ?? Buffer.alloc(0))).toBe(sha256(bytes));
      expect(read?.size).toBe(bytes.length);
    });

    test('never overwrites: what exists stays, and that is not an error', async () => {
      const key = `${folder()}/x.zip`;
      const store = open();
      await store.create(key, Buffer.from('first'));
      expect(await open().create(key, Buffer.from('second'))).toBe(false);
      expect(await text(store, key)).toBe('first');
    });

    test('lets one of many simultaneous creations of the same key succeed', async () => {
      const key = `${folder()}/x.zip`;
      const stores = Array.from({ length: 8 }, () => open());
      const made = await Promise.all(stores.map((store, n) => store.create(key, Buffer.from(`by ${n}`))));
      const [winner, ...others] = made.flatMap((was, n) => (was ? [n] : []));
      expect(others).toEqual([]);
      expect(await text(open(), key)).toBe(`by ${winner}`);
    });

    test('keeps an empty object, and one with an odd name', async () => {
      const store = open();
      const [empty, odd] = [`${folder()}/empty`, `${folder()}/a b%2Fc+ü.zip`];
      await store.create(empty, new Uint8Array());
      await store.create(odd, Buffer.from('odd'));
      expect(await text(store, empty)).toBe('');
      expect(await text(store, odd)).toBe('odd');
    });

    test('answers null for what does not exist, and for what is too large without reading it', async () => {
      const store = open();
      const key = `${folder()}/x.zip`;
      expect(await store.read(key, 100)).toBeNull();
      await store.create(key, Buffer.alloc(101));
      expect(await store.read(key, 100)).toMatchObject({ size: 101, bytes: null });
    });

    test('lists by prefix, with sizes and times by its own clock, and nothing incomplete', async () => {
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

    test('moves objects aside, so that the key is free; an object that is already gone is moved by nobody', async () => {
      const store = open();
      const at = folder();
      await store.create(`${at}/x.zip`, Buffer.from('wrong'));
      const seen = await found(store, `${at}/x.zip`);
      expect(await store.move(`${at}/x.zip`, `${at}/x.zip.wrong/1`, seen)).toBe(true);
      expect(await store.read(`${at}/x.zip`, 100)).toBeNull();
      expect(await text(store, `${at}/x.zip.wrong/1`)).toBe('wrong');
      expect(await store.move(`${at}/x.zip`, `${at}/x.zip.wrong/2`, seen)).toBe(false);
      expect(await store.create(`${at}/x.zip`, Buffer.from('right'))).toBe(true);
    });

    test('moves what was listed, not what someone has stored there since', async () => {
      const store = open();
      const at = folder();
      await store.create(`${at}/x.zip`, Buffer.from('wrong'));
      const seen = await found(store, `${at}/x.zip`);
      expect(await store.move(`${at}/x.zip`, `${at}/x.zip.wrong/1`, seen)).toBe(true);
      await store.create(`${at}/x.zip`, Buffer.from('right'));
      expect(await open().move(`${at}/x.zip`, `${at}/x.zip.wrong/2`, seen)).toBe(false);
      expect(await text(store, `${at}/x.zip`)).toBe('right');
      expect((await all(store, at)).map(({ key }) => key)).toEqual([`${at}/x.zip`, `${at}/x.zip.wrong/1`]);
    });

    test('removes objects; one that is already gone is not an error', async () => {
      const store = open();
      const key = `${folder()}/x.zip`;
      await store.create(key, Buffer.from('x'));
      await store.remove(key);
      await store.remove(key);
      expect(await store.read(key, 100)).toBeNull();
    });
  });
}
