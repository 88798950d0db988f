import stringWidth from 'string-width';
import { renderLine } from '../../src/cli/render/line.js';
import type { Frame } from '../../src/cli/render/pieces.js';
import { renderView } from '../../src/cli/render/view.js';
import { traffic } from '../../src/cli/report/sentence.js';
import { choicesOf } from '../../src/model/rollout/next.js';
import type { RolloutView, VerdictView } from '../../src/model/view.js';
import type { Phase } from '../../src/model/words.js';
import { details } from '../../workflows/rollout/show/details.js';
import { running } from './report-views.js';
import { awaiting, baking, ended, NOW, source, stage } from './views.js';

const frame = (over: Partial<Frame> = {}): Frame => ({
  width: 100,
  height: Number.POSITIVE_INFINITY,
  colour: false,
  now: NOW,
  ...over,
});

/** Closed before a plan was made. */
const REFUSED = { phase: 'done', outcome: 'failed', waitingFor: null } as const;

describe('the view of a rollout', () => {
  test('shows the split, the stages, the counts, what it waits for and the commands', () => {
    expect(renderView(baking(), frame())).toEqual([
      '◐ checkout/production  canary  baking  started 4m ago by ann',
      '  stable 41 ████████████████████████████████████░░░░ candidate 42 10 %',
      '  checkout:live on lambda · new totals',
      '  ├ ✔ deploy         deploy without traffic · probe smoke',
      '  ├ ◐ 10%      10 %  bake 5m, 3m left',
      '  ├ ○ 50%      50 %  shift to 50% · bake 5m',
      '  └ ○ 100%    100 %  promote to 100 % · bake 10m · finish',
      '  users   stable 41           540 requests       3 errors  0.56 %',
      '          candidate 42         60 requests       0 errors  0 %',
      '  probes  stable 41            60 requests       0 errors  0 %',
      '          candidate 42         60 requests       0 errors  0 %',
      '  judge: healthy: 0 % of 60 against 0.6 % of 540: within the limit of 5 %',
      '  evidence none (unhealthy at 1 : 100)',
      '  about 240 more requests needed to rule out a regression: about 8m at the current rate',
      '    probe smoke: invoke checkout:42 → 60 answers, 0 failed',
      '  waiting for the end of the bake at 10 %, 3m left (until 2026-03-01 10:03:00 UTC); then the counts',
      '  decide',
      '    sluice pause checkout/production  Keep the weight and stop the clock of the bake',
      '    sluice skip checkout/production   End the running bake early',
      '    sluice abort checkout/production  Send all traffic back to the stable release, in any phase',
    ]);
  });

  test('shows no time left once the rollout has ended, whatever it left behind', () => {
    const closed = renderView(baking({ phase: 'done', outcome: 'failed', waitingFor: null }), frame());
    expect(closed.join('\n')).not.toMatch(/ left\b/);
  });

  test('shows slow answers if they are measured, and clips long questions before their answers', () => {
    const lines = renderView(running(), frame());
    expect(lines.slice(6, 13)).toEqual([
      '  users  stable 41        17,629 requests      18 errors  0.1 %        71 slow  0.4 %',
      '         candidate 42      1,959 requests       4 errors  0.2 %         8 slow  0.41 %',
      '  judge: undecided: too few requests to tell',
      '  evidence 1 : 3 (unhealthy at 1 : 100)',
      '  about 2,400 more requests needed to rule out a regression: about 8m at the current rate',
      '    CloudWatch Errors: AWS/Lambda Errors FunctionName=ch… → 33 errors of 3,900 requests; version 41…',
      '    probe smoke: invoke checkout:42 with {"user":"user-1"} → 780 answers, 0 failed',
    ]);
  });

  test('shows each metric by name if several count users, and only the probes if none does', () => {
    const counted = (verdict: Partial<VerdictView>) => {
      const { verdict: before } = baking();
      const view = baking({ verdict: before === null ? null : { ...before, ...verdict } });
      return renderView(view, frame()).filter((line) => / requests .* errors /.test(line));
    };
    const metrics = [
      source('metric logs', 'users', [540, 3], [60, 0]),
      source('metric pages', 'users', [90, 0], [10, 1]),
    ];
    expect(counted({ sources: metrics })).toEqual([
      '  metric logs   stable 41           540 requests       3 errors  0.56 %',
      '                candidate 42         60 requests       0 errors  0 %',
      '  metric pages  stable 41            90 requests       0 errors  0 %',
      '                candidate 42         10 requests       1 errors  10 %',
    ]);
    expect(counted({ counted: 'probes', sources: [source('probe smoke', 'probes', [540, 3], [60, 0])] })).toEqual([
      '  probes  stable 41           540 requests       3 errors  0.56 %',
      '          candidate 42         60 requests       0 errors  0 %',
    ]);
  });

  test('shows how many requests are missing, without a time if the rate is unknown, and not at all after the end', () => {
    const missing = (view: RolloutView) => renderView(view, frame()).filter((line) => line.includes('regression'));
    expect(missing(baking({ series: [] }))).toEqual(['  about 240 more requests needed to rule out a regression']);
    expect(missing(ended('rejected'))).toEqual([]);
  });

  test('prints the exact command that answers an open approval', () => {
    const lines = renderView(awaiting(), frame({ width: 130 }));
    expect(lines).toContain(
      '    sluice approve checkout/production --stage 10%  Approve the stage that is waiting, so that the rollout continues',
    );
    expect(lines[0]).toBe('◆ checkout/production  canary  waiting for approval  started 4m ago by ann');
  });

  test('quotes a stage name that a shell would split', () => {
    const view = awaiting();
    if (view.waitingFor !== null) view.waitingFor.stage = 'first users';
    expect(renderView(view, frame({ width: 200 })).join('\n')).toContain("--stage 'first users'");
  });

  test('offers keep, force and adopt after a foreign change, and shows the split that was read', () => {
    const view = baking({
      split: { stable: '7', candidate: null, weight: 0 },
      weight: 0,
      phase: 'stuck',
      code: 'SLUICE_FOREIGN_CHANGE',
      reason: 'someone else changed the target',
      waitingFor: {
        what: 'a person',
        until: null,
        otherwise: 'nothing is written',
        verbs: ['abort', 'retry'],
        stage: null,
        gate: null,
      },
    });
    const text = renderView(view, frame()).join('\n');
    for (const way of [
      'abort checkout/production --keep ',
      'abort checkout/production --force',
      'retry checkout/production --adopt',
    ])
      expect(text).toContain(`sluice ${way}`);
    expect(text).toContain('read: all to 7');
    expect(renderLine(view, NOW)).toContain('read: all to 7');
    // What keep alone would be refused for stands in the command.
    const part = { ...view, split: { stable: '41', candidate: '42', weight: 33 }, weight: 33 };
    expect(renderView(part, frame()).join('\n')).toContain('sluice abort checkout/production --keep --unwatched');
    expect(details(part)).toContain('sluice abort checkout/production --keep --unwatched');
  });

  test.each<Phase>(['stuck', 'held'])(
    'in the Temporal UI shows what to do before what led there, if the rollout is %s',
    (phase) => {
      const awaits = awaiting().waitingFor;
      const waitingFor =
        awaits === null ? null : { ...awaits, verbs: ['abort' as const, 'retry' as const], gate: null };
      const text = details(baking({ phase, reason: 'the provider refuses', waitingFor }));
      const order = ['**Why:**', '**Waiting for**', '**What you can do:**', '**Traffic:**', '**Health:**'];
      const at = order.map((each) => text.indexOf(each));
      expect(at).not.toContain(-1);
      expect(at).toEqual(at.toSorted((a, b) => a - b));
      for (const each of order) expect(text.split(each)).toHaveLength(2);
    },
  );

  test('says in every form that nothing watches a kept split', () => {
    const split = { stable: '41', candidate: '42', weight: 33 };
    const view = ended('abandoned', { split, weight: 33, kept: { split, by: 'ann', unwatched: true } });
    const shown = [renderView(view, frame()).join('\n'), renderLine(view, NOW), details(view), traffic(view)];
    for (const text of shown) expect(text).toMatch(/nothing watches it/i);
    const strange = ended('abandoned', { split: { stable: '7', candidate: '42', weight: 5 }, kept: view.kept });
    for (const text of [renderView(strange, frame()).join('\n'), details(strange), traffic(strange)])
      expect(text).toContain('95 % to 7, 5 % to 42');
  });

  test("in the Temporal UI prints the terminal's commands, with the stage", () => {
    const view = awaiting();
    for (const { command } of choicesOf(view)) {
      expect(details(view)).toContain(command);
      expect(renderView(view, frame({ width: 130 })).join('\n')).toContain(command);
    }
    expect(details(view)).toContain('sluice approve checkout/production --stage 10%');
  });

  test('shows the reason for a rollback last and in full, after the most frequent errors', () => {
    const reason = `20 % of 60 against 0 % of 540: over the limit of 5 %, ${'and so on '.repeat(20)}until the end`;
    const view = ended('rolledBack', {
      reason,
      code: 'SLUICE_PROBE',
      errors: [{ what: 'Error: card declined', count: 12, requestId: 'abc-1' }],
      events: [{ at: NOW, text: 'all traffic is back on 41' }],
    });
    const lines = renderView(view, frame({ width: 80 }));
    const from = lines.indexOf('  most frequent errors of the candidate:');
    expect(lines.slice(from, from + 2)).toEqual([
      '  most frequent errors of the candidate:',
      '    12 × Error: card declined (request abc-1)',
    ]);
    expect(lines.slice(from + 2).join(' ')).toBe(`rolled back: ${reason} [SLUICE_PROBE]`);
    expect(lines[0]).toBe('↩ checkout/production  canary  rolled back  took 4m by ann');
  });

  test('cuts a long error before its request id, which people search logs for', () => {
    const errors = [{ what: `Error: ${'very '.repeat(30)}long`, count: 12, requestId: 'abc-1' }];
    const line = renderView(ended('rolledBack', { errors }), frame({ width: 60 })).find((each) =>
      each.includes('12 ×'),
    );
    expect(line).toMatch(/^ {4}12 × Error: very .*… \(request abc-1\)$/);
    expect(stringWidth(line ?? '')).toBe(60);
  });

  test('marks a pause differently from work', () => {
    const view = baking({ phase: 'paused' });
    expect(renderView(view, frame()).slice(0, 5)).toEqual([
      '‖ checkout/production  canary  paused  started 4m ago by ann',
      '  stable 41 ████████████████████████████████████░░░░ candidate 42 10 %',
      '  checkout:live on lambda · new totals',
      '  ├ ✔ deploy         deploy without traffic · probe smoke',
      '  ├ ‖ 10%      10 %  bake 5m, paused',
    ]);
  });

  test('shows which environment of blue-green is live', () => {
    expect(renderView(ended('succeeded', { live: 'green' }), frame())[1]).toBe(
      '  release 42 has 100 % (green is live)',
    );
  });

  test('says before a first release that nothing is live', () => {
    const view = baking({ stable: null, candidate: null, weight: 0, verdict: null, phase: 'deploying' });
    expect(renderView(view, frame())[1]).toBe('  nothing is live yet');
  });

  test.each([
    [{ phase: 'preparing' }, 'the target has not been read yet'],
    [{ ...REFUSED, code: 'SLUICE_ACCESS' }, 'nothing was touched; the live release was not read'],
    [REFUSED, 'the live release was not read'],
  ] as const)('of a target without a plan (%o) claims no more than is known', (over, says) => {
    const view = baking({ stable: null, candidate: null, weight: 0, verdict: null, stages: [], ...over });
    expect(renderView(view, frame())[1]).toBe(`  ${says}`);
    expect(details(view)).toContain(`**Traffic:** \`checkout:live\`: ${says}`);
    expect(traffic(view)?.toLowerCase()).toBe(`${says}.`);
  });

  test('shows in every form who gets the release without going through the alias', () => {
    const bypass = [{ id: 'mapping/91eaeb7e', what: 'event source mapping 91eaeb7e (orders)' }];
    const view = baking({ bypass });
    const head = 'Outside the rollout: these callers get the release as soon as it is deployed, whatever the weight';
    const lines = renderView(view, { ...frame(), width: 120 });
    expect(lines).toContain(`  ${head}:`);
    expect(lines).toContain('  - mapping/91eaeb7e: event source mapping 91eaeb7e (orders)');
    expect(details(view)).toContain(`**${head}:**\n- \`mapping/91eaeb7e\`: \`event source mapping 91eaeb7e (orders)\``);
    const back = details({ ...view, outcome: 'rolledBack', phase: 'done' });
    expect(back).toContain('may have run the release until it was rolled back');
    expect(details(baking())).not.toContain('Outside the rollout');
  });

  test('shows refusals and warnings', () => {
    const lines = renderView(
      baking({
        warnings: ['a trigger points at the bare function'],
        refusals: [{ at: NOW - 5_000, verb: 'approve', by: 'bob', why: 'no approval is open' }],
        refusalsTotal: 3,
      }),
      frame(),
    );
    expect(lines).toContain('  ! a trigger points at the bare function');
    expect(lines).toContain('  refused commands: 3');
    expect(lines).toContain('  5s ago approve by bob: no approval is open');
  });

  test.each([120, 80, 40, 20, 5, 1])('is never wider than %i columns', (width) => {
    for (const colour of [true, false]) {
      for (const line of renderView(
        awaiting({ reason: 'a reason', warnings: ['日本語の長い警告文です'] }),
        frame({ width, colour }),
      )) {
        expect(stringWidth(line)).toBeLessThanOrEqual(width);
      }
    }
  });

  test.each([40, 14, 9, 5, 2, 1])('is never taller than %i rows', (height) => {
    const stages = Array.from({ length: 90 }, (_, at) => stage(`${at}%`, { weight: at }));
    const view = awaiting({ stages, warnings: ['one'], events: [{ at: NOW, text: 'something' }] });
    expect(renderView(view, frame({ height })).length).toBeLessThanOrEqual(height);
  });

  test('keeps the running stage and the reason on a short terminal', () => {
    const stages = Array.from({ length: 30 }, (_, at) =>
      stage(`stage-${at}`, { state: at < 12 ? 'passed' : at === 12 ? 'running' : 'waiting', current: 'bake 5m' }),
    );
    const lines = renderView(baking({ stages, reason: 'held back' }), frame({ height: 12 }));
    expect(lines.at(-1)).toBe('baking: held back');
    expect(lines.some((line) => line.includes('◐ stage-12'))).toBe(true);
    expect(lines.some((line) => /… \d+ more before/.test(line))).toBe(true);
    expect(lines.some((line) => /… \d+ more to come/.test(line))).toBe(true);
  });

  test('uses colours only on request, and then says the same', () => {
    const plain = renderView(baking(), frame());
    const coloured = renderView(baking(), frame({ colour: true }));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is looked for
    const styling = /\u001b\[[0-9;]*m/g;
    expect(plain.join('')).not.toMatch(styling);
    expect(coloured.join('')).toMatch(styling);
    expect(coloured.map((line) => line.replace(styling, '').trimEnd())).toEqual(plain);
  });

  test('strips escape codes and line breaks from foreign text', () => {
    const evil = 'x\u001b[2J\u001b]0;pwned\u0007\r\ny\u202ez';
    const view = ended('rolledBack', {
      startedBy: evil,
      message: evil,
      reason: evil,
      target: evil,
      candidate: evil,
      warnings: [evil],
      errors: [{ what: evil, count: 1 }],
      events: [{ at: NOW, text: evil, by: evil }],
      refusals: [{ at: NOW, verb: evil, by: evil, why: evil }],
      stages: [stage(evil, { note: evil, steps: evil })],
    });
    const lines = [...renderView(view, frame(), evil), renderLine(view, NOW)];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
    for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });
});

describe('a rollout on one line', () => {
  test('says what changed, and when', () => {
    expect(renderLine(baking(), NOW)).toBe(
      '2026-03-01T10:00:00Z checkout/production baking · stable 41 has 90 %, candidate 42 10 % · stage 10%: bake 5m · waiting for the end of the bake at 10 %, until 2026-03-01 10:03:00 UTC; then the counts decide',
    );
  });

  test('shows how many requests there were and how long it still takes, as a sign of life', () => {
    expect(renderLine(baking(), NOW, true)).toBe(
      '2026-03-01T10:00:00Z checkout/production still baking · stable 41 has 90 %, candidate 42 10 % · stage 10%: bake 5m · users: stable 3/540, candidate 0/60 errors/requests · waiting for the end of the bake at 10 %, 3m left (until 2026-03-01 10:03:00 UTC); then the counts decide',
    );
  });

  test('says how it ended and why', () => {
    expect(renderLine(ended('rejected'), NOW)).toBe(
      '2026-03-01T10:00:00Z checkout/production rejected · stable 41 has 100 %, candidate 42 0 % · stage 10%: bake 5m · it ended as rejected',
    );
  });
});
