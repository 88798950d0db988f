/**
 * What every source of the judge promises, whatever it reads. The parts behind it are real, only the clock is the test's:
 * a stretch is over when `now` says so.
 */
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Source, SourceOf } from '../../src/health/sources/source.js';
import type { Counts } from '../../src/judge/types.js';

export interface Releases {
  stable: string;
  candidate: string;
}

/** What a source is made for; of the rest the fixture knows what fits. */
export interface Wanted {
  of: Releases & Partial<Pick<SourceOf, 'from' | 'isProbe'>>;
  now: number;
  /** Another server than the fixture's own. */
  endpoint?: string;
}

export interface SourceFixture {
  /** Whether it counts slow answers; some sources have no such count. */
  countsSlow: boolean;
  /** Of the source's stretches, in ms. */
  window: number;
  /** From the end of a stretch to its watermark, in ms. */
  delay: number;
  source(wanted: Wanted): Source;
  /** Two releases that nobody has called yet. */
  releases(): Promise<Releases>;
  /**
   * Lets users meet the releases, all within one stretch. Answers when that was over, which is later than any such time
   * before. Null: nobody meets the release.
   */
  happen(releases: Releases, stable: Counts | null, candidate: Counts | null): Promise<number>;
  stop(): Promise<void>;
}

const good = (requests: number): Counts => ({ requests, errors: 0, slow: 0 });
const calm = () => new AbortController().signal;

export function describeSource(name: string, start: () => Promise<SourceFixture>): void {
  let fixture: SourceFixture;
  const servers: Server[] = [];
  const sockets: Socket[] = [];

  beforeAll(async () => {
    fixture = await start();
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
    await fixture?.stop();
  });

  /** Reads from a stretch's begin, when the watermark of `end` has just passed. */
  const read = (of: Releases, { since, end }: { since: number; end: number }) =>
    fixture.source({ of, now: end + fixture.delay }).read({ signal: calm() }, since);

  /** What the source can tell of these counts. */
  const told = (counts: Counts): Counts => {
    if (fixture.countsSlow) return counts;
    const { requests, errors } = counts;
    return { requests, errors };
  };

  describe(`${name} as a source`, () => {
    test('counts requests, errors and slow answers by release', async () => {
      const of = await fixture.releases();
      const [stable, candidate] = [
        { requests: 6, errors: 1, slow: 2 },
        { requests: 3, errors: 3, slow: 0 },
      ];
      const id = await fixture.happen(of, stable, candidate);
      const { ticks, asked } = await read(of, { since: id - fixture.window, end: id });
      expect(ticks).toEqual([{ id, stable: told(stable), candidate: told(candidate) }]);
      // A person can check each side by hand.
      for (const version of [of.stable, of.candidate]) {
        expect(asked.some(({ query }) => query.includes(version))).toBe(true);
      }
      expect(asked.every(({ answer }) => answer !== '')).toBe(true);
    });

    test('reports a stretch once its watermark has passed, and not a millisecond earlier', async () => {
      const of = await fixture.releases();
      const id = await fixture.happen(of, good(1), good(2));
      const at = (now: number) => fixture.source({ of, now }).read({ signal: calm() }, id - fixture.window);
      expect((await at(id + fixture.delay - 1)).ticks).toEqual([]);
      expect((await at(id + fixture.delay)).ticks).toHaveLength(1);
    });

    test('reports the same ticks to everyone, whenever they read', async () => {
      const of = await fixture.releases();
      const first = await fixture.happen(of, good(4), good(1));
      const last = await fixture.happen(of, good(3), { requests: 2, errors: 1, slow: 1 });
      const since = first - fixture.window;
      const once = (await read(of, { since, end: last })).ticks;
      expect((await read(of, { since, end: last })).ticks).toEqual(once);
      // Somebody who comes later, from within the stretch, sees more of the end and nothing else of the begin.
      const later = (await read(of, { since: since + 1, end: last + fixture.window })).ticks;
      expect(later.slice(0, once.length)).toEqual(once);
      expect(later).toHaveLength(once.length + 1);
      expect(once.map(({ id }) => id)).toEqual(once.map((_, i) => first + i * fixture.window));
      expect(once.at(-1)?.id).toBe(last);
    });

    test('reports each tick once to a reader who goes from tick to tick', async () => {
      const of = await fixture.releases();
      const first = await fixture.happen(of, good(2), good(2));
      const last = await fixture.happen(of, good(5), good(1));
      let since = first - fixture.window;
      let [stable, candidate] = [0, 0];
      for (let end = first; end <= last; end += fixture.window) {
        const { ticks } = await read(of, { since, end });
        expect(ticks.map(({ id }) => id)).toEqual([end]);
        stable += ticks[0]?.stable?.requests ?? 0;
        candidate += ticks[0]?.candidate?.requests ?? 0;
        since = end;
      }
      expect([stable, candidate]).toEqual([7, 3]);
      expect((await read(of, { since, end: last })).ticks).toEqual([]);
    });

    test('reports nothing, not zero, for a release without requests, even if the split changes in between', async () => {
      const of = await fixture.releases();
      const before = await fixture.happen(of, good(5), null);
      const after = await fixture.happen(of, good(3), good(1));
      const { ticks } = await read(of, { since: before - fixture.window, end: after });
      expect(ticks[0]).toEqual({ id: before, stable: told(good(5)), candidate: null });
      expect(ticks.at(-1)).toEqual({ id: after, stable: told(good(3)), candidate: told(good(1)) });
      const nobody = await fixture.releases();
      const silent = await read(nobody, { since: before - fixture.window, end: before });
      expect(silent.ticks).toEqual([{ id: before, stable: null, candidate: null }]);
    });

    test('reads only the candidate if there is no other release', async () => {
      const of = await fixture.releases();
      const id = await fixture.happen(of, null, good(2));
      const alone = { stable: of.candidate, candidate: of.candidate };
      expect((await read(alone, { since: id - fixture.window, end: id })).ticks).toEqual([
        { id, stable: null, candidate: told(good(2)) },
      ]);
    });

    test('makes no call while no stretch is due', async () => {
      const of = await fixture.releases();
      const endpoint = await closedPort();
      const now = Math.floor(Date.now() / fixture.window) * fixture.window;
      const source = fixture.source({ of, now, endpoint });
      expect(await source.read({ signal: calm() }, now)).toEqual({ ticks: [], asked: [] });
    });

    test('reports a server that refuses and one that is unreachable', async () => {
      const of = await fixture.releases();
      const now = Date.now();
      const since = now - fixture.delay - 2 * fixture.window;
      const readAt = (endpoint: string) => fixture.source({ of, now, endpoint }).read({ signal: calm() }, since);
      await expect(readAt(await refusing(servers))).rejects.toMatchObject({
        name: 'SluiceError',
        message: expect.stringMatching(/out of order|503/),
      });
      await expect(readAt(await closedPort())).rejects.toMatchObject({
        name: 'SluiceError',
        message: expect.stringMatching(/ECONNREFUSED/),
      });
    });

    test('ends a cancelled read that gets no answer', async () => {
      const of = await fixture.releases();
      const now = Date.now();
      const { url, reached } = await silent(servers, sockets);
      const stop = new AbortController();
      const reading = fixture
        .source({ of, now, endpoint: url })
        .read({ signal: stop.signal }, now - fixture.delay - 2 * fixture.window);
      await reached;
      stop.abort();
      await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    });
  });
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that refuses everything. */
async function refusing(servers: Server[]): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(503, { 'content-type': 'text/plain', connection: 'close' });
    response.end('out of order');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return urlOf(server);
}

/** A server that never answers. */
async function silent(servers: Server[], sockets: Socket[]): Promise<{ url: string; reached: Promise<void> }> {
  let reach = () => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const server = createTcpServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', reach);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: urlOf(server), reached };
}

/** An address where nobody listens. */
async function closedPort(): Promise<string> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = urlOf(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return url;
}
