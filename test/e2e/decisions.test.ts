/** Who decides, by a key, by a login, or not at all; and what of it the audit says. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readKey } from '../../src/key-file.js';
import type { VerbStatement } from '../../src/model/access.js';
import { browse } from '../access/provider.js';
import { NEVER, until } from '../support/until.js';
import { GATED, inputs, type People, startPeople } from './people.js';
import type { World } from './target.js';

let people: People;
let world: World;

beforeAll(async () => {
  people = await startPeople('decisions', ['gated', 'by-ci']);
  world = people.world;
});

afterAll(() => people?.stop());

describe('someone without a key', () => {
  test('starts as the CI job that the policy pins, and approves with a login; no provider token enters the history', async () => {
    const app = 'by-ci';
    const id = `${app}/production`;
    const byCi = (...argv: string[]) => world.cli(argv, world.folder, people.runner.env);
    expect(await byCi('start', world.file(app, GATED))).toMatchObject({ code: 0, err: '' });
    const { run, access } = await world.phase(app, 'awaitingApproval');
    expect(access).toMatchObject({ starter: 'robot:shop-ci' });
    expect((await byCi('approve', id)).err).toContain('robot:shop-ci may not approve here; @managers may');

    const byLogin = await world.cli(['approve', id, '--login', '-m', 'seen'], world.folder, {}, (url) =>
      browse(url, 'ben'),
    );
    expect(byLogin).toMatchObject({
      code: 0,
      err: expect.stringContaining(`to sign this, log in at ${people.provider.issuer}`),
    });
    // Where a person looks on who has no key, a decision asks for a login by itself, and nothing else does.
    const looking = await world.client({}, (url) => browse(url, 'ben'));
    await expect(looking.verb(world.at(app), 'approve', {})).rejects.toThrow('ben has approved already');
    await expect(looking.verb(world.at(app), 'abort', {})).rejects.toThrow('abort is not signed');
    expect(await people.clients.cem.verb(world.at(app), 'approve', {})).toMatchObject({ message: 'continues' });

    const audit = await world.cli(['audit', id]);
    expect(audit.out).toContain('"who":"robot:shop-ci"');
    const history = JSON.stringify(inputs(await people.temporal.workflow.getHandle(id, run).fetchHistory()));
    expect(history).toContain('"token":"ey');
    expect(people.runner.given).toHaveLength(2);
    for (const token of people.runner.given) expect(history + audit.out).not.toContain(token.split('.')[1]);
  });

  test.concurrent('is not asked to log in if the policy has no login of that provider', async () => {
    const elsewhere = { SLUICE_LOGIN: 'https://evil.example' };
    const { code, err } = await world.cli(['start', world.file('nowhere', GATED)], world.folder, elsewhere);
    expect(code).not.toBe(0);
    expect(err).toContain(`the policy has no login of https://evil.example; there is ${people.provider.issuer}`);
  });
});

describe('a decision', () => {
  test('that is unsigned, forged, expired, for the wrong stage or run, by the starter, or replayed is refused; two others count', async () => {
    const app = 'gated';
    const id = `${app}/production`;
    await people.start(app, GATED);
    const { run, waitingFor } = await world.phase(app, 'awaitingApproval');
    const gate = waitingFor?.gate;
    if (gate == null) throw new Error('no gate is open');
    expect(gate).toMatchObject({ stage: '50%', people: 2, approvers: ['ben', 'cem'], notStarter: true, approved: [] });
    const { stage, id: gateId, plan, expires } = gate;
    const statement: VerbStatement = {
      act: 'approve',
      ...world.at(app),
      run,
      gate: { id: gateId, stage, plan, expires },
    };
    const handle = people.temporal.workflow.getHandle(id);

    await expect(world.sluice.verb(world.at(app), 'approve', { stage, by: 'ben' })).rejects.toMatchObject({
      code: 'SLUICE_ACCESS',
      message:
        'approve is not signed, and there is a policy; make a key with `sluice key`, have it added to the policy and send it again, or use --login',
    });
    await expect(people.clients.ann.verb(world.at(app), 'approve', { stage })).rejects.toThrow(
      'ann may not approve here; @managers may',
    );
    await expect(people.clients.dan.verb(world.at(app), 'pause', {})).rejects.toThrow(
      'dan may not pause here; nobody may',
    );

    const bad: [unknown, string][] = [
      [undefined, 'approve is not signed'],
      ['not.a.token', 'it is not a signed token'],
      [await people.signedBy('eve', statement), 'the policy does not know'],
      [await people.signedBy('ben', statement, { now: Date.now() - 3_600_000 }), 'it has expired'],
      [await people.signedBy('ben', statement, { audience: 'sluice:staging' }), 'it is for another namespace'],
      [
        await people.signedBy('ben', { ...statement, gate: { ...statement.gate, stage: '100%' } as never }),
        `stage "100%" isn't waiting for approval; "50%" is`,
      ],
      [
        await people.signedBy('ben', { ...statement, gate: { ...statement.gate, plan: 'other' } as never }),
        'the approval has changed',
      ],
      [await people.signedBy('ben', { ...statement, run: 'another' }), 'it is for another rollout of this target'],
      [await people.signedBy('ben', { ...statement, act: 'reject' }), 'what was signed is reject, not approve'],
      [`${(await people.signedBy('ben', statement)).slice(0, -4)}AAAA`, 'its signature is wrong'],
    ];
    for (const [token] of bad) await handle.signal('approve', { stage, by: 'ben', token });
    const view = await until('all of them to be refused', async () => {
      const { view: seen } = await world.sluice.status(world.at(app));
      return seen !== null && seen.refusalsTotal >= bad.length + 2 ? seen : null;
    });
    for (const [, why] of bad)
      expect(view.refusals.map((each) => each.why)).toContainEqual(expect.stringContaining(why));
    expect(view.phase).toBe('awaitingApproval');

    // One counts once, however often and by whatever way it is said.
    const once = await people.signedBy('ben', { ...statement, comment: 'looked at it' });
    await handle.signal('approve', { token: once });
    await until('the first approval', async () => {
      const { view: seen } = await world.sluice.status(world.at(app));
      return seen?.waitingFor?.gate?.approved.join() === 'ben';
    });
    await handle.signal('approve', { token: once });
    await expect(people.clients.ben.verb(world.at(app), 'approve', {})).rejects.toThrow('ben has approved already');
    const mine = await world.cli(['approvals', '--mine', '-o', 'json'], world.folder, {
      SLUICE_KEY: people.keyOf('cem'),
    });
    expect(JSON.parse(mine.out)).toMatchObject([{ app, gate: { stage: '50%', approved: ['ben'] }, mine: true }]);
    expect(await world.cli(['approve', id], world.folder, { SLUICE_KEY: people.keyOf('cem') })).toMatchObject({
      code: 0,
      out: `approve stage 50% of ${id}: continues\n`,
    });
    const { view: end } = await world.sluice.wait(world.at(app), 'done', { run, signal: AbortSignal.timeout(NEVER) });
    expect(end).toMatchObject({ outcome: 'succeeded', startedBy: 'ann', access: { starter: 'ann' } });
    expect(end?.events.map(({ text, by }) => `${text} by ${by}`)).toContainEqual('stage 50% approved by ben and cem');
    await theTrailSays(id);
  });

  /** Who, what, why, before and after, whole and signed by who exported it. */
  async function theTrailSays(id: string): Promise<void> {
    const out = path.join(world.folder, 'trail.ndjson');
    const cem = { SLUICE_KEY: people.keyOf('cem') };
    expect((await world.cli(['audit', id, '--out', out], world.folder, cem)).code).toBe(0);
    const again = await world.cli(['audit', id, '--out', out], world.folder, cem);
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining('EEXIST: file already exists') });
    const key = readKey(cem.SLUICE_KEY)?.public ?? '';
    const verify = () => world.cli(['audit', '--verify', out, '--key', key]);
    expect(await verify()).toMatchObject({
      code: 0,
      out: expect.stringMatching(/is complete: \d+ lines, signed with this key/),
    });

    const text = readFileSync(out, 'utf8');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const of = (kind: string, what: string) => lines.filter((line) => line.kind === kind && line.what === what);
    expect(of('start', 'canary').at(-1)).toMatchObject({ who: 'ann', proof: expect.stringMatching(/^ey/) });
    expect(lines.find((line) => line.kind === 'access')).toMatchObject({
      who: 'ann',
      what: expect.stringMatching(/^policy /),
    });
    expect(of('verb', 'approve')).toMatchObject([
      { who: 'ben', why: 'looked at it', after: { stage: '50%' }, proof: expect.stringMatching(/^ey/) },
      { who: 'cem', why: null },
    ]);
    expect(of('refusal', 'approve').map(({ why }) => why)).toContainEqual(expect.stringContaining('it has expired'));
    const [first, second] = ['1', '2'];
    expect(of('change', 'shift').at(-1)).toMatchObject({
      before: { stable: first, candidate: null },
      after: { stable: first, candidate: second, weight: 50 },
    });
    expect(of('end', 'succeeded')).toHaveLength(2);

    writeFileSync(out, text.replace('looked at it', 'rubber stamp'));
    expect(await verify()).toMatchObject({
      code: 15,
      err: expect.stringMatching(/the line before line \d+ was changed/),
    });
  }
});
