import { FakeSluice, play, seeing } from './fake.js';
import { awaiting, baking, ended, NOW } from './views.js';

const GET = ['get', 'checkout/production', '--watch'];
const STATUS = ['status', 'checkout/production'];

describe('get', () => {
  test('shows a rollout once', async () => {
    const { code, out } = await play(['get', 'checkout/production'], { sluice: seeing(baking()) });
    expect(code).toBe(0);
    expect(out).toMatch(/^◐ checkout\/production {2}canary {2}baking/);
  });

  test('uses colours on a terminal, unless NO_COLOR, --no-color or a dumb terminal turns them off', async () => {
    const tty = { columns: 80, rows: 24 };
    const coloured = async (argv: string[], env: Record<string, string> = {}, on?: typeof tty) =>
      (await play(['get', 'a/b', ...argv], { sluice: seeing(baking()), env, ...(on ? { tty: on } : {}) })).out.includes(
        '\u001b[',
      );
    expect(await coloured([], {}, tty)).toBe(true);
    expect(await coloured([])).toBe(false);
    expect(await coloured([], { NO_COLOR: '1' }, tty)).toBe(false);
    expect(await coloured(['--no-color'], {}, tty)).toBe(false);
    expect(await coloured([], { TERM: 'dumb' }, tty)).toBe(false);
    expect(await coloured([], { FORCE_COLOR: '1' })).toBe(true);
  });
});

describe('watching', () => {
  test("ends with the rollout, and the exit code is the outcome's", async () => {
    for (const [outcome, expected] of [
      ['succeeded', 0],
      ['rolledBack', 3],
      ['rejected', 4],
    ] as const) {
      const { code } = await play(GET, { sluice: seeing(baking(), ended(outcome)) });
      expect(code).toBe(expected);
    }
  });

  test('without a terminal prints a line for each change and redraws nothing', async () => {
    const { out } = await play(GET, { sluice: seeing(baking(), baking(), awaiting(), ended('succeeded')) });
    expect(out.split('\n').map((line) => line.split(' · ')[0])).toEqual([
      '2026-03-01T10:00:00Z checkout/production baking',
      '2026-03-01T10:00:00Z checkout/production waiting for approval',
      '2026-03-01T10:00:00Z checkout/production succeeded',
      '',
    ]);
  });

  test('prints a sign of life after every 30 s without a change', async () => {
    let now = NOW;
    const sluice = seeing(...Array.from({ length: 65 }, () => baking()), ended('succeeded'));
    sluice.onSeen = (at) => {
      now = NOW + at * 1_000;
    };
    const { out } = await play(GET, { sluice, now: () => now });
    const beats = out.split('\n').filter((line) => line.includes('still baking'));
    expect(beats.map((line) => line.slice(0, 20))).toEqual(['2026-03-01T10:00:30Z', '2026-03-01T10:01:00Z']);
  });

  test('on a terminal redraws in place, at most four times a second', async () => {
    let now = NOW;
    const sluice = seeing(
      ...Array.from({ length: 40 }, (_, at) => baking({ startedBy: `person-${at}-` })),
      ended('succeeded'),
    );
    // Two seconds of views, twenty a second.
    sluice.onSeen = (at) => {
      now = NOW + at * 50;
    };
    const { out } = await play(GET, { sluice, tty: { columns: 80, rows: 24 }, now: () => now });
    expect(out).toContain('\u001b[');
    expect(out).toContain('succeeded: it ended as succeeded');
    expect(new Set(out.match(/person-\d+-/g)).size).toBe(8);
  });

  test('in CI does not redraw, even on a terminal', async () => {
    const { out } = await play(GET, {
      sluice: seeing(ended('succeeded')),
      tty: { columns: 80, rows: 24 },
      env: { CI: 'true' },
    });
    expect(out).toMatch(/^2026-03-01T10:00:00Z checkout\/production succeeded/);
  });

  test('with -o json prints one message a line: first the version, last the end', async () => {
    const { code, json } = await play([...GET, '-o', 'json'], {
      sluice: seeing(baking(), baking(), ended('rejected')),
    });
    expect(code).toBe(4);
    expect(json()).toEqual([
      { type: 'version', version: 1, sluice: expect.stringMatching(/^\d+\.\d+\.\d+/) },
      { type: 'view', at: NOW, view: expect.objectContaining({ phase: 'baking' }) },
      { type: 'view', at: NOW, view: expect.objectContaining({ outcome: 'rejected' }) },
      { type: 'end', at: NOW, exit: 4, phase: 'done', outcome: 'rejected' },
    ]);
  });

  test('ends on Ctrl-C with exit code 130, and says that the rollout goes on', async () => {
    const interrupt = new AbortController();
    const sluice = seeing(baking());
    sluice.stays = true;
    sluice.onSeen = () => setImmediate(() => interrupt.abort());
    const { code, err } = await play(GET, { sluice, signal: interrupt.signal });
    expect(code).toBe(130);
    expect(err).toContain(
      'interrupted; the rollout is still running. Follow it with `sluice get checkout/production --watch`',
    );
    expect(sluice.calls.some(([name]) => name === 'verb')).toBe(false);
  });

  test('reports connection trouble and continues', async () => {
    const sluice = new FakeSluice();
    sluice.watch = async function* () {
      yield { view: baking(), ended: false, trouble: null };
      yield { view: baking(), ended: false, trouble: 'no worker answers' };
      yield { view: ended('succeeded'), ended: true, trouble: null };
    };
    const { code, out } = await play(GET, { sluice });
    expect(code).toBe(0);
    expect(out).toContain('2026-03-01T10:00:00Z checkout/production no worker answers\n');
  });
});

describe('status', () => {
  test("prints one line; exits with 0 while the rollout runs, 9 if it is stuck, otherwise with the outcome's code", async () => {
    const { code, out } = await play(STATUS, { sluice: seeing(baking()) });
    expect([code, out.split('\n').length]).toEqual([0, 2]);
    expect((await play(STATUS, { sluice: seeing(baking({ phase: 'stuck' })) })).code).toBe(9);
    expect((await play(STATUS, { sluice: seeing(ended('superseded')) })).code).toBe(8);
  });

  test('waits until an approval is open', async () => {
    const sluice = seeing(baking(), awaiting(), ended('succeeded'));
    const { code, json } = await play([...STATUS, '--until', 'approval', '-o', 'json'], { sluice });
    expect(code).toBe(0);
    expect(json()).toEqual([expect.objectContaining({ phase: 'awaitingApproval' })]);
  });

  test.each([
    ['held', 'held'],
    ['person', 'held'],
    ['person', 'awaitingApproval'],
    ['person', 'stuck'],
  ] as const)('--until %s is met by a rollout that is %s', async (until, phase) => {
    const sluice = seeing(baking(), baking({ phase }), ended('succeeded'));
    const { code, json } = await play([...STATUS, '--until', until, '-o', 'json'], { sluice });
    expect(code).toBe(0);
    expect(json()).toEqual([expect.objectContaining({ phase })]);
  });

  test('--until held is not met by an approval', async () => {
    const sluice = seeing(awaiting(), ended('rolledBack'));
    expect((await play([...STATUS, '--until', 'held'], { sluice })).code).toBe(3);
  });

  test('waits until the rollout is paused', async () => {
    const sluice = seeing(baking(), baking({ phase: 'paused' }), ended('succeeded'));
    expect((await play([...STATUS, '--until', 'paused'], { sluice })).code).toBe(0);
  });

  test('fails if the rollout ends first', async () => {
    const { code, err } = await play([...STATUS, '--until', 'approval'], {
      sluice: seeing(baking(), ended('succeeded')),
    });
    expect(code).toBe(14);
    expect(err).toContain('the rollout ended without reaching --until approval');
    const back = await play([...STATUS, '--until', 'approval'], { sluice: seeing(baking(), ended('rolledBack')) });
    expect(back.code).toBe(3);
  });

  test.each([
    ['baking', 5],
    ['stuck', 9],
  ] as const)('that times out while it is %s exits with %i', async (phase, expected) => {
    const sluice = seeing(baking({ phase }));
    sluice.stays = true;
    const { code } = await play([...STATUS, '--until', 'done', '--timeout', '20ms'], { sluice });
    expect(code).toBe(expected);
  });
});
