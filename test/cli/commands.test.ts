import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { newKey, signerOf, trailOf } from '../../src/access/index.js';
import { EXIT, exitOfError, exitOfView } from '../../src/cli/exit-codes.js';
import { allCommands, COMMANDS, GROUPS } from '../../src/cli/registry.js';
import { whyNotMine } from '../../src/client/approvals.js';
import { keyPlace } from '../../src/key-file.js';
import { SluiceError } from '../../src/model/errors.js';
import { VERB_TABLE } from '../../src/model/verbs.js';
import type { RolloutView } from '../../src/model/view.js';
import { OUTCOMES, STRATEGIES, VERBS } from '../../src/model/words.js';
import { ROOT } from '../support/tools.js';
import { FakeSluice, play, seeing } from './fake.js';
import { awaiting, baking, ended, NOW } from './views.js';

const SUBSCRIPTION = '01234567-89ab-cdef-0123-456789abcdef';
const ON_APP_SERVICE = [
  ...['--platform', 'app-service', '--resource-group', 'shop'],
  ...['--account', SUBSCRIPTION, '--region', 'westeurope'],
];

const SPEC = `app: checkout
environment: production
target: { function: checkout, region: us-east-1 }
release: { version: 42 }
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-cli-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const spec = (text = SPEC) => {
  writeFileSync(path.join(folder, 'rollout.yaml'), text);
  return { cwd: folder };
};

describe('the commands', () => {
  test("include one for every verb, with the verb's name", async () => {
    for (const verb of VERBS) expect((await COMMANDS[verb]?.())?.name).toBe(verb);
    expect(Object.keys(VERB_TABLE).every((verb) => verb in COMMANDS)).toBe(true);
  });

  test('are registered under their own names, and each has help', async () => {
    const commands = await allCommands();
    expect(commands.map(({ name }) => name)).toEqual(Object.keys(COMMANDS));
    for (const { name, summary } of commands) {
      const { code, out } = await play([name, '--help']);
      expect(code).toBe(0);
      expect(out.replace(/\s+/g, ' ')).toContain(summary.replace(/\s+/g, ' '));
      expect(out).toContain('--output <format>');
    }
  });
});

describe('the groups of commands', () => {
  test('contain each command exactly once', () => {
    const grouped = GROUPS.flatMap(({ commands }) => Object.keys(commands));
    expect(new Set(grouped).size).toBe(grouped.length);
    expect(grouped).toEqual(Object.keys(COMMANDS));
  });

  test('leave out no command', async () => {
    const commands = await allCommands();
    const files = readdirSync(path.join(ROOT, 'src', 'cli', 'verbs')).map((file) => path.basename(file, '.ts'));
    const shared = ['message', 'decision', 'move-callers'];
    expect(files.filter((file) => !shared.includes(file)).sort()).toEqual(commands.map(({ name }) => name).sort());
  });

  test('appear in `sluice --help` with a line for each command', async () => {
    const { code, out } = await play(['--help'], { tty: { columns: 100, rows: 40 } });
    expect(code).toBe(0);
    const [, ...chapters] = out.split(/\n\n(?=\S)/).slice(2);
    expect(chapters.map((text) => text.split('\n')[0])).toEqual(GROUPS.map(({ title }) => title));
    const commands = await allCommands();
    for (const [at, { commands: loads }] of GROUPS.entries()) {
      const lines = chapters[at]?.split('\n').slice(1) ?? [];
      for (const [line, name] of Object.keys(loads).entries()) {
        const summary = commands.find((command) => command.name === name)?.summary ?? '';
        expect(lines[line]).toMatch(new RegExp(`^  ${name} `));
        expect(lines[line]?.endsWith(summary)).toBe(true);
      }
    }
  });
});

describe('the exit codes', () => {
  test('are all different', () => {
    const codes = Object.values(EXIT).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });

  test('differ by outcome, and are 0 only for good ones', () => {
    const byOutcome = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, exitOfView(ended(outcome))]));
    expect(byOutcome).toEqual({
      succeeded: 0,
      rolledBack: 3,
      rejected: 4,
      superseded: 8,
      nothingToRelease: 0,
      abandoned: 16,
      failed: 11,
    });
    expect(exitOfView(ended('failed', { code: 'SLUICE_SPEC' }))).toBe(2);
    expect(exitOfView(baking({ phase: 'stuck' }))).toBe(9);
  });

  test('differ by error', () => {
    expect(exitOfError('SLUICE_SPEC')).toBe(2);
    expect(exitOfError('SLUICE_UNREACHABLE')).toBe(6);
    expect(exitOfError('SLUICE_VERB')).toBe(7);
    expect(exitOfError('SLUICE_ALREADY_RUNNING')).toBe(10);
    expect(exitOfError('SLUICE_PROVIDER')).toBe(1);
  });
});

describe('a mistake on the command line', () => {
  test.each([
    [['gte', 'a/b'], 'there is no command "gte" (did you mean "get"?)'],
    [['rollback', 'a/b'], '`sluice abort APP/ENVIRONMENT`'],
    [['deploy', 'rollout.yaml'], '`sluice start rollout.yaml`'],
    [['watch', 'a/b'], '`sluice get APP/ENVIRONMENT --watch`'],
    [['logs', 'a/b'], '`sluice report APP/ENVIRONMENT`'],
    [['ship'], '`sluice start rollout.yaml`'],
    [['revert', 'a/b'], '`sluice undo APP/ENVIRONMENT`'],
    [['tail', 'a/b'], '`sluice get APP/ENVIRONMENT --watch`'],
    [['destroy', 'a/b'], 'Sluice deletes no function and no site'],
    [['up', '--port', '70000'], '--port is "70000"; write a port from 0 to 65535'],
    [['get'], "missing required argument 'target'"],
    [['get', 'checkout'], '"checkout" is not a target; write APP/ENVIRONMENT, such as checkout/production'],
    [['get', 'a/b', '--wacth'], "unknown option '--wacth' (Did you mean --watch?)"],
    [['status', 'a/b', '--until', 'forever'], 'Allowed choices are done, approval, held, person, paused'],
    [['status', 'a/b', '--timeout', '5'], '--timeout is "5"; write a duration such as 90s, 5m or 1h30m'],
    [['start', 'x.yaml', '--watch', '--wait'], 'use either --watch or --wait, not both'],
    [['audit', '--verify', 'trail', '--key', 'nonsense'], '--key is not a public key; expected ed25519:…'],
    [['start', 'x.yaml', '--until', 'held'], '--until needs --watch or --wait'],
    [['start', 'nowhere.yaml'], 'nowhere.yaml: no such file. `sluice init` writes a first one\n'],
    [['start', '.'], 'error SLUICE_USAGE: . is a folder; name the file in it, such as rollout.yaml\n'],
    [['validate', '..'], '.. is a folder; name the file in it, such as ../rollout.yaml\n'],
    [['policy', '.', 'a/b'], '. is a folder; name the file in it'],
    [['judge', '--rules', '.'], '. is a folder; name the file in it'],
    [['help', 'strat'], 'there is no command "strat" (did you mean "start"?)'],
    [['help', 'rollback'], 'there is no command "rollback"; `sluice abort APP/ENVIRONMENT`'],
    [['strat', '--help'], 'there is no command "strat" (did you mean "start"?)'],
    [[], 'no command given; `sluice --help` lists them'],
  ])('%j is answered in one line, with exit code 2', async (argv, message) => {
    const { code, out, err } = await play(argv, { cwd: folder });
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(/^error SLUICE_USAGE: [^\n]*\n$/);
    expect(err).toContain(message);
  });

  test('gives an object on stdout with -o json', async () => {
    const { code, json, err } = await play(['get', 'checkout', '-o', 'json']);
    expect(code).toBe(2);
    expect(json()).toEqual([{ error: { code: 'SLUICE_USAGE', message: expect.stringContaining('is not a target') } }]);
    expect(err).toBe('');
  });

  test('is told apart from an unexpected error, which is shown without a stack', async () => {
    const { code, err } = await play(['doctor']);
    expect(code).toBe(1);
    expect(err).toBe(
      'error SLUICE_INTERNAL: this scene has no diagnosis (a bug in Sluice; set SLUICE_DEBUG=1 to see where)\n',
    );
  });
});

test('an unreachable server has its own exit code', async () => {
  const { code, err } = await play(['list'], { unreachable: true });
  expect(code).toBe(6);
  expect(err).toBe('error SLUICE_UNREACHABLE: no Temporal server answers at x:1\n');
});

test('the connection is closed when the command ends, also after an error', async () => {
  const sluice = seeing();
  expect((await play(['get', 'a/b'], { sluice })).code).toBe(12);
  expect(sluice.closed).toBe(1);
});

describe('verbs', () => {
  test.each(['pause', 'resume', 'promote', 'skip', 'retry', 'abort'])('%s sends who and why', async (verb) => {
    const sluice = new FakeSluice();
    const { code, out } = await play([verb, 'checkout/production', '--by', 'ann', '-m', 'why not'], { sluice });
    expect(code).toBe(0);
    expect(out).toBe(`${verb} checkout/production: goes on (baking)\n`);
    expect(sluice.calls).toEqual([
      [
        'verb',
        { app: 'checkout', environment: 'production' },
        verb,
        expect.objectContaining({ by: 'ann', comment: 'why not' }),
      ],
    ]);
  });

  test.each([
    ['promote', '--full', { full: true }],
    ['abort', '--force', { force: true }],
    ['retry', '--adopt', { adopt: true }],
  ])('%s %s', async (verb, option, args) => {
    const sluice = new FakeSluice();
    await play([verb, 'a/b', option], { sluice });
    expect(sluice.calls[0]?.[3]).toMatchObject(args);
  });

  test('approve takes the open stage unless one is named', async () => {
    const sluice = seeing(awaiting());
    const { code, out } = await play(['approve', 'checkout/production'], { sluice, env: { SLUICE_BY: 'bob' } });
    expect(code).toBe(0);
    expect(out).toBe('approve stage 10% of checkout/production: goes on\n');
    expect(sluice.calls.at(-1)?.slice(2)).toEqual(['approve', { by: 'bob' }]);
    await play(['reject', 'checkout/production', '--stage', '50%', '--by', 'ann'], { sluice });
    expect(sluice.calls.at(-1)?.slice(2)).toEqual(['reject', { stage: '50%', by: 'ann' }]);
  });

  test("a refusal is shown in the workflow's own words, with exit code 7", async () => {
    const sluice = new FakeSluice();
    sluice.fails.verb = new SluiceError('SLUICE_VERB', 'the rollout is not paused');
    const { code, json } = await play(['resume', 'a/b', '-o', 'json'], { sluice });
    expect(code).toBe(7);
    expect(json()).toEqual([{ error: { code: 'SLUICE_VERB', message: 'the rollout is not paused' } }]);
  });
});

describe('start', () => {
  test('sends the spec with its strategy, who and why', async () => {
    const sluice = seeing(baking({ access: { policy: null, starter: null, others: [] } }));
    const scene = { sluice, ...spec() };
    const { code, out } = await play(['start', 'rollout.yaml', '--by', 'ann', '-m', 'totals'], scene);
    expect(code).toBe(0);
    expect(out).toBe('started checkout/production, run run-1\nfollow it: sluice get checkout/production --watch\n');
    expect(sluice.calls.slice(0, 1)).toEqual([
      [
        'start',
        expect.objectContaining({
          app: 'checkout',
          environment: 'production',
          type: 'canary',
          onNewRelease: 'reject',
          by: 'ann',
          message: 'totals',
          input: expect.objectContaining({ specSchema: 1, release: { version: 42 } }),
        }),
      ],
    ]);
  });

  test.each([
    ['it passed', baking({ access: { policy: null, starter: null, others: [] } }), 0, ''],
    [
      'it refused',
      ended('failed', { code: 'SLUICE_ACCESS', reason: 'dan may not' }),
      15,
      'error SLUICE_ACCESS: dan may not\n',
    ],
  ] as const)('start and undo report the result of the check: %s', async (_, view, code, err) => {
    const scene = () => ({ sluice: seeing(view), ...spec() });
    expect(await play(['start', 'rollout.yaml'], scene())).toMatchObject({ code, err });
    expect(await play(['undo', 'checkout/production'], scene())).toMatchObject({ code, err });
    expect(await play(['start', 'rollout.yaml', '-o', 'json'], scene())).toMatchObject({ code: 0, err: '' });
  });

  test('a missing check delays a start by 2 s at most', async () => {
    const sluice = seeing(baking());
    sluice.stays = true;
    const { code, out } = await play(['start', 'rollout.yaml'], { sluice, ...spec() });
    expect(code).toBe(0);
    expect(out).toContain(
      '\nno worker has checked this start yet; wait for the result with `sluice status checkout/production --until done`\n',
    );
  });

  test('--strategy chooses if the file sets none', async () => {
    const sluice = new FakeSluice();
    await play(['start', 'rollout.yaml', '--strategy', 'direct'], { sluice, ...spec() });
    expect(sluice.calls[0]?.[1]).toMatchObject({ type: 'direct' });
  });

  test('a spec with errors is refused before anything connects, with the line of each error', async () => {
    const { code, err } = await play(['start', 'rollout.yaml'], { unreachable: true, ...spec(`${SPEC}retian: 3\n`) });
    expect(code).toBe(2);
    expect(err).toContain('error SLUICE_SPEC: rollout.yaml:5:1');
    expect(err).toContain('did you mean "retain"?');
  });

  test('a rollout that already runs is exit code 10', async () => {
    const sluice = new FakeSluice();
    sluice.fails.start = new SluiceError('SLUICE_ALREADY_RUNNING', 'a canary by bob is running');
    expect((await play(['start', 'rollout.yaml'], { sluice, ...spec() })).code).toBe(10);
  });

  test('-o json answers with the run', async () => {
    const { json } = await play(['start', 'rollout.yaml', '-o', 'json'], spec());
    expect(json()).toEqual([{ state: 'started', workflowId: 'checkout/production', run: 'run-1', tookPlaceOf: null }]);
  });

  test.each([
    [
      'replacing',
      [],
      'replacing the running rollout of checkout/production: it rolls back first, then this one starts',
    ],
    ['queued', [], 'queued checkout/production: it starts when the running rollout ends'],
    ['replacing', ['stuck'], 'this one replaces the running rollout of checkout/production, which is stuck'],
    ['queued', ['stuck'], 'queued checkout/production behind the running rollout, which is stuck'],
  ] as const)('%s behind a rollout that is %j is told as it is', async (state, [phase], said) => {
    const sluice = seeing(
      phase === undefined
        ? baking()
        : baking({ phase, code: 'SLUICE_FOREIGN_CHANGE', reason: 'someone else changed it' }),
    );
    sluice.answers.start = { state, workflowId: 'checkout/production', run: null, ticket: 't', tookPlaceOf: null };
    const { out } = await play(['start', 'rollout.yaml'], { sluice, ...spec() });
    const needs =
      ': someone else changed the target. This one starts once a person ends that with `sluice abort checkout/production --keep` (leaves the change) or `--force` (overwrites it)';
    expect(out.split('\n')[0]).toBe(phase === undefined ? said : `${said}${needs}`);
  });

  test("--wait prints the end on stdout and progress on stderr, and exits with the outcome's code", async () => {
    const sluice = seeing(baking(), ended('rolledBack'));
    const { code, out, err } = await play(['start', 'rollout.yaml', '--wait'], { sluice, ...spec() });
    expect(code).toBe(3);
    expect(err).toContain('started checkout/production, run run-1\n');
    expect(err).toContain('2026-03-01T10:00:00Z checkout/production baking');
    expect(out).toMatch(/^↩ checkout\/production {2}canary {2}rolled back/);
    expect(out).toMatch(/rolled back: it ended as rolledBack\n$/);
  });

  test('--wait asks for a person at once, once per wait, with every command that answers', async () => {
    const held = baking({
      phase: 'held',
      reason: 'stage 10%: noData: no request of the candidate was counted by metric requests',
      waitingFor: {
        what: 'a decision of a person',
        until: NOW + 86_400_000,
        otherwise: 'it rolls back',
        verbs: ['promote', 'retry', 'abort'],
        stage: null,
        gate: null,
      },
    });
    const sluice = seeing(baking(), held, held, baking(), awaiting(), ended('succeeded'));
    const { code, err } = await play(['start', 'rollout.yaml', '--wait'], { sluice, ...spec() });
    expect(code).toBe(0);
    const calls = err.split('\n').filter((line) => line.includes('NEEDS A PERSON'));
    expect(calls).toEqual([
      'checkout/production NEEDS A PERSON: held: a person must decide',
      'checkout/production NEEDS A PERSON: waiting for approval',
    ]);
    expect(err).toContain('why: stage 10%: noData: no request of the candidate was counted by metric requests\n');
    for (const command of [
      'promote checkout/production ',
      'abort checkout/production ',
      'approve checkout/production --stage 10% ',
    ]) {
      expect(err).toContain(`\n  sluice ${command}`);
    }
  });

  test.each([
    ['held', 'held', 17],
    ['approval', 'awaitingApproval', 17],
    ['person', 'held', 17],
    ['person', 'awaitingApproval', 17],
    ['held', 'awaitingApproval', 0],
    ['done', 'held', 0],
  ] as const)('--wait --until %s exits for one that is %s with %i', async (state, phase, expected) => {
    const sluice = seeing(baking(), baking({ phase }), ended('succeeded'));
    const { code, err } = await play(['start', 'rollout.yaml', '--wait', '--until', state], { sluice, ...spec() });
    expect(code).toBe(expected);
    expect(err.includes('the rollout needs someone to decide and is still running')).toBe(expected === 17);
  });

  test('--until does not fail for a rollout that succeeds without a person', async () => {
    const play1 = (view: RolloutView) =>
      play(['start', 'rollout.yaml', '--wait', '--until', 'person'], { sluice: seeing(baking(), view), ...spec() });
    expect((await play1(ended('succeeded'))).code).toBe(0);
    expect((await play1(ended('rolledBack'))).code).toBe(3);
  });

  test('a queued release is followed by its ticket, and the output names the release that it replaced in the queue', async () => {
    const sluice = seeing(ended('succeeded'));
    const tookPlaceOf = { by: 'ann', since: NOW, strategy: 'canary', message: null, ticket: 't1' };
    sluice.answers.start = {
      state: 'queued',
      workflowId: 'checkout/production',
      run: null,
      ticket: 't2',
      tookPlaceOf,
    };
    const { code, err } = await play(['start', 'rollout.yaml', '--on-new-release', 'queue', '--wait'], {
      sluice,
      ...spec(),
    });
    expect(code).toBe(0);
    expect(err).toContain(
      'queued checkout/production: it starts when the running rollout ends; the queued canary by ann will not run\n',
    );
    expect(sluice.calls.at(-1)).toEqual(['watch', { app: 'checkout', environment: 'production' }, { ticket: 't2' }]);
  });
});

describe('lists', () => {
  test('list passes its filters on and prints columns', async () => {
    const sluice = new FakeSluice();
    sluice.answers.list = [
      {
        app: 'checkout',
        environment: 'production',
        strategy: 'canary',
        phase: 'awaitingApproval',
        outcome: null,
        weight: 10,
        startedAt: NOW - 7_200_000,
        endedAt: null,
        run: 'r',
      },
    ];
    const argv = ['list', '--phase', 'awaitingApproval', '--app', 'check*', '--older-than', '1h'];
    const { out } = await play(argv, { sluice });
    expect(sluice.calls[0]).toEqual([
      'list',
      { all: false, phase: 'awaitingApproval', app: 'check*', olderThan: 3_600_000 },
    ]);
    expect(out).toBe(
      [
        'ROLLOUT              STRATEGY  STATE                 WEIGHT  STARTED',
        'checkout/production  canary    waiting for approval  10 %    2h ago',
        '',
      ].join('\n'),
    );
  });

  test('an empty list prints nothing on stdout, and an empty array with -o json', async () => {
    const { code, out, err } = await play(['list']);
    expect([code, out, err]).toEqual([0, '', 'no rollouts found\n']);
    expect((await play(['list', '-o', 'json'])).json()).toEqual([[]]);
  });

  test('approvals that are not for the caller or could not be read are not reported as none', async () => {
    const sluice = new FakeSluice();
    const gate = {
      id: 'g',
      stage: '10%',
      plan: 'p',
      expires: NOW + 60_000,
      people: 1,
      approved: [],
      approvers: ['ann', 'ben'],
      notStarter: true,
      comment: false,
    };
    const { app, environment, run, candidate, weight, startedBy, message } = awaiting();
    const open = { app, environment, run, candidate, weight, startedBy, message, gate };
    const why = (by: string, name: string | null) => whyNotMine({ gate, startedBy: by }, name);
    expect([why('ann', 'ann'), why('ann', 'cem'), why('ann', null), why('ann', 'ben')]).toEqual([
      'ann started this rollout; someone else must approve it',
      'cem may not approve here; ann, ben may',
      'you have no key: `sluice key`',
      null,
    ]);
    sluice.answers.approvals = { open: [{ ...open, mine: false, notMine: why('ann', 'cem') }], unasked: [] };
    expect(await play(['approvals', '--mine'], { sluice })).toMatchObject({
      code: 0,
      out: '',
      err: '1 approval is open, but not for you (cem may not approve here; ann, ben may)\n',
    });
    const unasked = [
      { app: 'cart', environment: 'production', code: 'SLUICE_NO_WORKER', message: 'no worker answers' },
    ];
    sluice.answers.approvals = { open: [{ ...open, mine: true, notMine: null }], unasked };
    const some = await play(['approvals'], { sluice });
    expect(some).toMatchObject({
      code: 13,
      err: 'cart/production did not respond: no worker answers [SLUICE_NO_WORKER]\n',
    });
    expect(some.out).toContain('sluice approve checkout/production');
    sluice.answers.approvals = { open: [], unasked };
    const none = await play(['approvals', '-o', 'json'], { sluice });
    expect([none.code, none.json()]).toEqual([13, [[]]]);
    expect(none.err).toMatch(
      /^no approvals are open among the rollouts that responded\ncart\/production did not respond/,
    );
  });

  test('releases shows what is live and how long undo works', async () => {
    const sluice = new FakeSluice();
    sluice.answers.releases = [
      {
        app: 'checkout',
        environment: 'production',
        releases: [
          {
            version: '42',
            digest: 'd',
            since: NOW,
            until: null,
            by: 'ann',
            run: 'r',
            strategy: 'canary',
            message: 'totals',
            replaced: '41',
            undoUntil: NOW + 3_600_000,
            retired: null,
            spec: null,
          },
        ],
        queued: null,
        starting: null,
        settled: [
          {
            by: 'bob',
            since: NOW,
            strategy: 'direct',
            message: null,
            ticket: 't1',
            at: NOW,
            run: null,
            why: 'a newer release took its place',
          },
        ],
        undo: { version: '41', until: NOW + 3_600_000 },
        hold: null,
        takenBack: null,
        running: null,
      },
    ];
    const { out } = await play(['releases', 'checkout'], { sluice });
    expect(sluice.calls[0]).toEqual(['releases', 'checkout', undefined]);
    expect(out).toBe(
      [
        'checkout/production',
        'RELEASE  LIVE SINCE               UNTIL  UNDO  BY   STRATEGY  MESSAGE',
        '42       2026-03-01 10:00:00 UTC  live         ann  canary    totals',
        'never started: direct by bob, 2026-03-01 10:00:00 UTC: a newer release took its place',
        'undo rolls back to release 41, 1h left: sluice undo checkout/production',
        '',
      ].join('\n'),
    );
  });
});

describe('plan', () => {
  const approval = { within: 86_400_000, onTimeout: 'rollback', people: 2, notStarter: false, comment: false };
  const preview = (findings: object[]) => ({
    spec: {
      app: 'checkout',
      environment: 'production',
      strategy: { type: 'canary' },
      target: { platform: 'lambda', function: 'checkout', alias: 'live', region: 'us-east-1', account: 'default' },
    },
    before: { split: { stable: '41', candidate: null, weight: 0 } },
    plan: {
      schema: 1,
      strategy: 'canary',
      stages: [
        {
          name: '10%',
          steps: [
            { kind: 'shift', id: 'a', weight: 10, deadline: 120_000 },
            { kind: 'bake', id: 'b', weight: 10, duration: 300_000 },
            { kind: 'approve', id: 'c', weight: 10, approval },
          ],
        },
        {
          name: '100%',
          steps: [
            { kind: 'bake', id: 'd', weight: 100, duration: 300_000 },
            { kind: 'compare', id: 'e', weight: 50, duration: 300_000, deadline: 120_000 },
          ],
        },
      ],
    },
    findings,
  });

  test('shows the split, then each step with its deadline, and what could refuse the rollout', async () => {
    const sluice = new FakeSluice();
    sluice.answers.plan = preview([{ level: 'warn', code: 'BARE_NAME', message: 'a trigger uses the bare name' }]);
    const { code, out } = await play(['plan', 'rollout.yaml'], { sluice, ...spec() });
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'checkout/production  canary  checkout:live',
      '  account default, us-east-1, lambda',
      '  now: release 41 has 100 %',
      '',
      'stage 10%',
      '  shift to 10 %                                within 2m                  stops if someone else changed the target',
      '  bake                                         5m                         stops if unhealthy, undecided or without data',
      '  approval of 10% by 2 people                  within 1d, else roll back  rolls back if rejected',
      'stage 100%',
      '  bake                                         5m                         stops if unhealthy, undecided or without data',
      '  compare at 50 %                              for 5m                     only if failures cross the ceiling',
      '',
      'bakes for at least 10m in total',
      '',
      '! warning [BARE_NAME]: a trigger uses the bare name',
      '',
    ]);
  });

  test('exits with 11 if the rollout would be refused', async () => {
    const sluice = new FakeSluice();
    sluice.answers.plan = preview([{ level: 'refuse', code: 'SLUICE_OWNED', message: 'it is of another app' }]);
    const { code, out } = await play(['plan', 'rollout.yaml'], { sluice, ...spec() });
    expect(code).toBe(11);
    expect(out).toMatch(/✖ would be refused \[SLUICE_OWNED\]: it is of another app\n$/);
  });
});

describe('files', () => {
  test.each(STRATEGIES)('init writes a valid spec of a %s rollout', async (strategy) => {
    expect((await play(['init', '--strategy', strategy], { cwd: folder })).code).toBe(0);
    const { code, out } = await play(['validate', 'rollout.yaml'], { cwd: folder });
    expect([code, out]).toEqual([0, `valid: my-app/production, ${strategy}\n`]);
  });

  test('init writes a valid spec, and never overwrites a file', async () => {
    const argv = ['init', '--app', 'checkout', '--region', 'eu-west-1'];
    expect((await play(argv, { cwd: folder })).code).toBe(0);
    const written = readFileSync(path.join(folder, 'rollout.yaml'), 'utf8');
    const { code, out } = await play(['validate', 'rollout.yaml'], { cwd: folder });
    expect([code, out]).toEqual([0, 'valid: checkout/production, canary\n']);
    const again = await play(['init', '--app', 'other'], { cwd: folder });
    expect(again.code).toBe(2);
    expect(again.err).toContain('already exists and is not overwritten');
    expect(readFileSync(path.join(folder, 'rollout.yaml'), 'utf8')).toBe(written);
  });

  test.each([
    ['makes .gitignore if there is none', null, '.sluice/\n', true],
    ['adds a line', 'node_modules', 'node_modules\n.sluice/\n', true],
    ['leaves a .gitignore that already has it', '/.sluice\n', '/.sluice\n', false],
  ])('init keeps what `sluice up` stores out of git: %s', async (_name, before, after, ignored) => {
    if (before !== null) writeFileSync(path.join(folder, '.gitignore'), before);
    const { code, out } = await play(['init', '-o', 'json'], { cwd: folder });
    expect([code, JSON.parse(out)]).toEqual([0, { file: 'rollout.yaml', ignored }]);
    expect(readFileSync(path.join(folder, '.gitignore'), 'utf8')).toBe(after);
  });

  test.each([
    ['canary', ['--slot', 'staging']],
    ['direct', []],
  ])('init for App Service writes a valid spec: %s', async (strategy, more) => {
    const argv = ['init', '--app', 'shop', '--site', 'checkout', ...ON_APP_SERVICE, ...more];
    expect((await play(argv, { cwd: folder })).code).toBe(0);
    const { code, out } = await play(['validate', 'rollout.yaml'], { cwd: folder });
    expect([code, out]).toEqual([0, `valid: shop/production, ${strategy}\n`]);
  });

  test('init for App Service writes only strategies that need no slot if none is named', async () => {
    const argv = ['init', '--site', 'checkout', '--strategy', 'blueGreen', ...ON_APP_SERVICE];
    const { code, err } = await play(argv, { cwd: folder });
    expect(code).toBe(2);
    expect(err).toContain('--strategy blueGreen deploys beside the live release');
    expect(existsSync(path.join(folder, 'rollout.yaml'))).toBe(false);
  });

  test.each([
    ['--account', 'needs the subscription: add --account SUBSCRIPTION-ID'],
    ['--region', 'needs the region: add --region'],
    ['--resource-group', 'needs the resource group: add --resource-group NAME'],
  ])('init for App Service reports that %s is missing', async (option, said) => {
    const at = ON_APP_SERVICE.indexOf(option);
    const argv = ['init', ...ON_APP_SERVICE.slice(0, at), ...ON_APP_SERVICE.slice(at + 2)];
    const { code, err } = await play(argv, { cwd: folder });
    expect(code).toBe(2);
    expect(err).toContain(said);
  });

  test('validate checks every environment in the file', async () => {
    const many = `${SPEC.replace('environment: production\n', '')}environments:\n  staging: {}\n  production: { strategy: { type: direct } }\n`;
    const { code, out } = await play(['validate', 'rollout.yaml'], spec(many));
    expect(code).toBe(0);
    expect(out).toBe('valid: checkout/staging, canary\nvalid: checkout/production, direct\n');
  });

  test('validate refuses an environment of the file that the others leave out, as plan and start do', async () => {
    const two = `${SPEC.replace('environment: production', 'environment: prod')}environments:\n  production: {}\n  staging: {}\n`;
    const { code, out, err } = await play(['validate', 'rollout.yaml'], spec(two));
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('environments: leaves out "prod", the environment of this file');
    const one = `\${STAGE:-staging}`;
    const filled = await play(
      ['validate', 'rollout.yaml'],
      spec(two.replace('environment: prod\n', `environment: ${one}\n`)),
    );
    expect(filled.out).toBe('valid: checkout/production, canary\nvalid: checkout/staging, canary\n');
  });

  test('adopt reads what is live before it writes anything, and writes the first spec', async () => {
    const sluice = new FakeSluice();
    const before = { split: { stable: '7', candidate: null, weight: 0 } };
    sluice.answers.plan = { before, findings: [] };
    sluice.answers.adopt = { before, findings: [] };
    const { code, out } = await play(['adopt', 'checkout:live', '--region', 'eu-west-1'], { sluice, cwd: folder });
    expect(code).toBe(0);
    expect(out).toBe('adopted checkout:live as checkout/production: release 7 is live; wrote rollout.yaml\n');
    expect(sluice.calls.map(([name]) => name)).toEqual(['plan', 'adopt']);
    expect(sluice.calls[1]?.[1]).toMatchObject({ input: { release: { version: 7 } } });
    expect(readFileSync(path.join(folder, 'rollout.yaml'), 'utf8')).toContain('version: 7');
  });

  test('adopt accepts a site and its slot', async () => {
    const sluice = new FakeSluice();
    const before = { split: { stable: 'r-0123456789ab', candidate: null, weight: 0 } };
    sluice.answers.plan = { before, findings: [] };
    sluice.answers.adopt = { before, findings: [] };
    const { code, out } = await play(['adopt', 'checkout/staging', ...ON_APP_SERVICE], { sluice, cwd: folder });
    expect(code).toBe(0);
    expect(out).toBe(
      'adopted checkout/staging as checkout/production: release r-0123456789ab is live; wrote rollout.yaml\n',
    );
    const target = {
      platform: 'app-service',
      site: 'checkout',
      resourceGroup: 'shop',
      slot: 'staging',
      account: SUBSCRIPTION,
      region: 'westeurope',
    };
    expect(sluice.calls[1]?.[1]).toMatchObject({ input: { target, release: { version: 'r-0123456789ab' } } });
    expect((await play(['validate', 'rollout.yaml'], { cwd: folder })).code).toBe(0);
  });

  test.each([
    ['checkout:live', [], '7x', 'checkout:live is on 7x; publish a version'],
    ['checkout', ['app-service'], 'unknown', 'checkout is on unknown; start a rollout with `sluice start`'],
  ])('adopt writes nothing to %s while what is live there is not a release', async (target, on, stable, said) => {
    const sluice = new FakeSluice();
    sluice.answers.plan = { before: { split: { stable, candidate: null, weight: 0 } }, findings: [] };
    const argv = ['adopt', target, ...(on.length === 0 ? [] : ON_APP_SERVICE)];
    const { code, err } = await play(argv, { sluice, cwd: folder });
    expect(code).not.toBe(0);
    expect(err).toContain(said);
    expect(sluice.calls.map(([name]) => name)).toEqual(['plan']);
  });

  test("adopt leaves another app's target alone", async () => {
    const sluice = new FakeSluice();
    sluice.answers.plan = {
      before: { split: { stable: '7', candidate: null, weight: 0 } },
      findings: [{ level: 'refuse', code: 'SLUICE_OWNED', message: 'it is of another app' }],
    };
    const { code } = await play(['adopt', 'checkout:live'], { sluice, cwd: folder });
    expect(code).toBe(11);
    expect(sluice.calls.map(([name]) => name)).toEqual(['plan']);
  });
});

test('audit marks the lines of unknown people', async () => {
  const sluice = seeing();
  const entry = { rollout: 'checkout/production', what: 'canary', mismatch: false };
  const entries = ['start', 'foreign', 'end', 'unreadable'].map((kind) => ({ ...entry, kind }));
  sluice.answers.audit = { entries, signer: null };
  const { code, err } = await play(['audit', 'checkout/production'], { sluice });
  expect([code, err]).toEqual([0, expect.stringMatching(/not done by a Sluice worker, or unreadable.*: line 2, 4\n/)]);
});

describe('sweep', () => {
  test('looks in the account of the chosen platform', async () => {
    const sluice = new FakeSluice();
    await play(['sweep'], { sluice, env: { AWS_REGION: 'eu-west-1' } });
    const where = ['--platform', 'app-service', '--account', SUBSCRIPTION, '--region', 'westeurope'];
    const { code, err } = await play(['sweep', ...where], { sluice });
    expect(sluice.calls).toEqual([
      ['sweep', { platform: 'lambda', account: 'default', region: 'eu-west-1' }],
      ['sweep', { platform: 'app-service', account: SUBSCRIPTION, region: 'westeurope' }],
    ]);
    expect([code, err]).toEqual([0, expect.stringContaining('no target is left with split traffic')]);
  });
});

describe('a key', () => {
  const place = () => path.join(folder, 'sluice', 'key.json');
  const key = (...more: string[]) => play(['key', ...more], { env: { SLUICE_KEY: place() } });

  test('is created once, readable only by its owner, and an existing one is kept', async () => {
    expect(await key()).toMatchObject({ code: 0, out: expect.stringContaining('created ') });
    expect(statSync(place()).mode & 0o777).toBe(0o600);
    expect(await key()).toMatchObject({ code: 0, out: expect.stringContaining('your key is ') });
    writeFileSync(place(), 'nonsense');
    expect(await key()).toMatchObject({ code: 13, err: expect.stringContaining('`sluice key --new` creates one') });
    expect(await key('--new')).toMatchObject({ code: 0, out: expect.stringContaining('created ') });
    expect(readdirSync(path.dirname(place()))).toHaveLength(2);
  });

  test.each<[string, () => void, string]>([
    ['a file that others can read', () => chmodSync(place(), 0o644), 'can be read by other users; run chmod 600 '],
    [
      'a link to nothing',
      () => replace(() => symlinkSync('nothing', place())),
      'is a link to a file that does not exist',
    ],
    ['a pipe', () => replace(() => execFileSync('mkfifo', [place()])), 'is not a file; set SLUICE_KEY to a file'],
    ['a folder', () => replace(() => mkdirSync(place())), 'is not a file; set SLUICE_KEY to a file'],
    ['bytes', () => writeFileSync(place(), Buffer.from([0xff])), 'is not a Sluice key'],
  ])('that is %s is refused', async (_, make, said) => {
    await key();
    make();
    const { code, err } = await key();
    expect(err).toContain(said);
    expect(err).toContain('SLUICE_SETUP');
    expect(code).toBe(13);
  });

  const replace = (make: () => void) => {
    rmSync(place());
    make();
  };

  test('never replaces a folder or a pipe', async () => {
    mkdirSync(place(), { recursive: true });
    expect(await key('--new')).toMatchObject({ code: 13, err: expect.stringContaining('is not a file') });
    expect(existsSync(place())).toBe(true);
  });

  test.each([
    [{ HOME: '/home/ann' }, '/home/ann/.config/sluice/key.json'],
    [{ HOME: '/home/ann', XDG_CONFIG_HOME: '/conf' }, '/conf/sluice/key.json'],
    [{ HOME: '/home/ann', XDG_CONFIG_HOME: '' }, '/home/ann/.config/sluice/key.json'],
    [{ HOME: '/home/ann', XDG_CONFIG_HOME: 'conf' }, '/home/ann/.config/sluice/key.json'],
    [{ HOME: '', XDG_CONFIG_HOME: '' }, null],
  ])('is never kept in the current folder by accident: %j', (env, expected) => {
    expect(keyPlace(env)).toBe(expected);
  });
});

test('a trail with changed line endings still verifies', async () => {
  const ann = newKey('ann');
  const lines = await trailOf([{ what: 'start' }, { what: 'end' }], await signerOf(ann), NOW);
  writeFileSync(path.join(folder, 'trail'), `${lines.join('\r\n')}\r\n`);
  const { code, out } = await play(['audit', '--verify', 'trail', '--key', ann.public], { cwd: folder });
  expect(out).toBe('trail is complete: 2 lines, signed with this key\n');
  expect(code).toBe(0);
});

describe('doctor', () => {
  const healthy = {
    address: 'x:1',
    namespace: 'default',
    unreachable: null,
    namespaceExists: true,
    missingSearchAttributes: [],
    encryptionKeys: ['two', 'one'],
    workers: 2,
    policy: { digest: '0123456789abcdef' },
    otherPolicies: [],
    keysDiffer: null,
    accounts: [],
  };

  test('passes if everything is there', async () => {
    const { code, out } = await play(['doctor'], { diagnosis: healthy });
    expect(code).toBe(0);
    expect(out.split('\n').slice(1)).toEqual([
      '✔ temporal: answers at x:1',
      '✔ namespace: default',
      '✔ search attributes: all present',
      '✔ encryption: on here, with key two; also reads one',
      '✔ worker: 2 on task queue sluice',
      '✔ policy: digest 0123456789ab',
      '',
    ]);
  });

  test("fails if the workers lack this client's key", async () => {
    const keysDiffer = 'this client encrypts under the key "two" and the workers have the keys one';
    const { code, out } = await play(['doctor'], { diagnosis: { ...healthy, keysDiffer } });
    expect(code).toBe(13);
    expect(out).toContain(`✖ encryption: ${keysDiffer}`);
  });

  test('says what to do about whatever is missing', async () => {
    const account = { platform: 'lambda', account: 'prod', region: 'eu-west-1' };
    const diagnosis = { ...healthy, workers: 0, accounts: [{ account, calls: 1, watch: 0, restore: 0 }] };
    const { code, out } = await play(['doctor', 'rollout.yaml'], { diagnosis, ...spec() });
    expect(code).toBe(13);
    expect(out).toContain('✖ worker: none runs on task queue sluice\n  → run `sluice worker`');
    expect(out).toContain('✖ account prod: no worker serves it in eu-west-1 (watch, restore)');
    expect(out).toContain('→ run `sluice worker --account prod --region eu-west-1` with its credentials');
  });

  test('does not report a missing worker if the server does not list workers', async () => {
    const account = { platform: 'lambda', account: 'prod', region: 'eu-west-1' };
    const diagnosis = { ...healthy, workers: null, accounts: [{ account, calls: 1, watch: null, restore: null }] };
    const { code, out } = await play(['doctor', 'rollout.yaml'], { diagnosis, ...spec() });
    expect(code).toBe(0);
    expect(out).toContain('! worker: the server does not report whether one runs on task queue sluice\n');
    expect(out).toContain(
      '! account prod: the server does not report whether a worker serves it in eu-west-1 (watch, restore)\n',
    );
    expect(out).not.toContain('sluice worker');
  });

  test.each([
    [
      { digest: null },
      '! policy: open: no policy\n  → fine for trying Sluice on your own machine; otherwise set SLUICE_POLICY',
    ],
    [null, '! policy: no worker has reported its policy\n'],
  ])('says who may act on the workers: %j', async (policy, said) => {
    const { code, out } = await play(['doctor'], { diagnosis: { ...healthy, policy } });
    expect(code).toBe(0);
    expect(out).toContain(said);
  });

  test('warns about workers with a different policy', async () => {
    const otherPolicies = [{ policy: 'open', worker: '7@old-host:0a1b2c3d:open' }];
    const { code, out } = await play(['doctor'], { diagnosis: { ...healthy, otherPolicies } });
    expect(code).toBe(0);
    expect(out).toContain(
      '! one policy: workers use different policies: also open (worker 7@old-host:0a1b2c3d:open)\n  → give every worker',
    );
  });

  test('reports an unreachable server as a finding', async () => {
    const diagnosis = { ...healthy, unreachable: 'no Temporal server answers at x:1' };
    const { code, json } = await play(['doctor', '-o', 'json'], { diagnosis });
    expect(code).toBe(13);
    expect(json()).toEqual([[expect.objectContaining({ name: 'node' }), expect.objectContaining({ state: 'fail' })]]);
  });
});
