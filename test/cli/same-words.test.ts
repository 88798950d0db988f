/** Temporal's UI, the command line and the report say the same of the same rollout: each state is rendered by all of them. */
import { renderLine } from '../../src/cli/render/line.js';
import { renderView } from '../../src/cli/render/view.js';
import { callLines } from '../../src/cli/render/waiting.js';
import { renderReport } from '../../src/cli/report/index.js';
import { choicesOf } from '../../src/model/rollout/next.js';
import { accessWords, stateWord, trafficOf, trafficWords } from '../../src/model/rollout/words.js';
import { moment } from '../../src/model/text.js';
import type { RolloutView } from '../../src/model/view.js';
import { OUTCOMES, PHASES } from '../../src/model/words.js';
import { makePlan } from '../../src/strategies/registry.js';
import { details } from '../../workflows/rollout/show/details.js';
import { stageViews, viewOf } from '../../workflows/rollout/show/view.js';
import { type HoldReason, newState, type RolloutState } from '../../workflows/rollout/state.js';
import { UNGRANTED } from '../support/access.js';
import { canary } from '../support/specs.js';
import { NOW } from './views.js';

const UNTIL = NOW + 3_600_000;
const STAGE = '10%';
const SPLIT = { stable: '41', candidate: '42', weight: 10 };
const COUNTS = { requests: 500, errors: 3 };

/** A canary at 10 %, whose stage has an approval; the cursor is at the bake, or at the approval. */
function at(kind: 'bake' | 'approve', over: Partial<RolloutState> = {}): RolloutState {
  const spec = canary([60_000], 10);
  const plan = makePlan(spec, { stable: '41' });
  const before = {
    split: { stable: '41', candidate: null, weight: 0 },
    ...{ release: null, revision: null, description: '', mark: null, environments: null, capacity: 0 },
  };
  const stage = plan.stages.findIndex(({ name }) => name === STAGE);
  const step = plan.stages[stage]?.steps.findIndex((each) => each.kind === kind) ?? -1;
  expect(step).toBeGreaterThanOrEqual(0);
  const health = { baselines: {}, firing: [] };
  const stages = stageViews({ plan, before });
  return {
    ...newState({ app: 'checkout', environment: 'production', run: 'run-0', type: 'canary', now: NOW }),
    ...{ spec, prepared: { planSchema: 1, spec, before, plan, health, warnings: [], ...UNGRANTED } },
    ...{ cursor: { stage, step }, stages: stages.map((each, i) => (i === stage ? { ...each, until: UNTIL } : each)) },
    ...{ release: { version: '42', digest: 'sha-42' }, split: SPLIT, weight: 10, startedBy: 'ann' },
    verdict: {
      ...{ state: 'undecided', why: '0.6 % of 500 against 0.6 % of 500', at: NOW, counted: 'users' },
      ...{ stable: COUNTS, candidate: COUNTS, sources: [], logE: 0.1, limit: Math.log(100), needed: 530, asked: [] },
    },
    ...over,
  };
}

const GATE = { id: 'canary-10.approve', stage: STAGE, until: UNTIL, remind: 60_000, approvals: [], decision: null };
const hold = (about: HoldReason) => ({ why: 'nobody knows', until: UNTIL, about });
const POLICY = 'a'.repeat(64);
const access = (policy: string | null) => ({ policy, starter: 'ann', open: [], grant: null });
const FOREIGN = { phase: 'stuck', code: 'SLUICE_FOREIGN_CHANGE', reason: 'somebody else changed the alias' } as const;
const KEPT = { split: { stable: '7', candidate: null, weight: 0 }, by: 'ann', unwatched: false };

const STATES: [string, RolloutState][] = [
  ...PHASES.map((phase): [string, RolloutState] => [phase, at('bake', { phase, reason: `why it is ${phase}` })]),
  ['not yet prepared', at('bake', { phase: 'preparing', prepared: null, stages: [], release: null, split: null })],
  ['an open approval', at('approve', { phase: 'awaitingApproval', step: { gate: GATE } })],
  ['an approval with a pause', at('approve', { phase: 'paused', step: { gate: GATE } })],
  ['held, undecided', at('bake', { phase: 'held', reason: 'too few requests', step: { hold: hold('undecided') } })],
  ['held, unhealthy', at('bake', { phase: 'held', reason: '42 is unhealthy', step: { hold: hold('unhealthy') } })],
  [
    'held by an approval that timed out',
    at('approve', { phase: 'held', reason: 'late', step: { gate: GATE, hold: hold('approval') } }),
  ],
  ['stuck on a foreign change', at('bake', { ...FOREIGN, split: { stable: '7', candidate: null, weight: 0 } })],
  ['stuck on a foreign change of the split', at('bake', { ...FOREIGN, split: { ...SPLIT, weight: 33 }, weight: 33 })],
  [
    'stuck on a foreign change while rolling back',
    at('bake', { ...FOREIGN, leave: { outcome: 'rolledBack', reason: 'aborted', code: null } }),
  ],
  ['stuck on the provider', at('bake', { phase: 'stuck', code: 'SLUICE_PROVIDER', reason: 'it says no' })],
  [
    'stuck without a worker',
    at('bake', { phase: 'stuck', code: 'SLUICE_NO_WORKER', reason: 'none lives', prepared: null, stages: [] }),
  ],
  ['at 100 %', at('bake', { phase: 'baking', split: { stable: '42', candidate: null, weight: 0 }, weight: 100 })],
  [
    'before any traffic',
    at('bake', { phase: 'deploying', split: { ...SPLIT, candidate: null, weight: 0 }, weight: 0 }),
  ],
  ...OUTCOMES.map((outcome): [string, RolloutState] => [
    `done: ${outcome}`,
    at('bake', {
      phase: 'done',
      outcome,
      reason: `why it ended as ${outcome}`,
      endedAt: UNTIL,
      weight: 0,
      split: null,
    }),
  ]),
  [
    'done: a change was kept that nothing watches',
    at('bake', {
      phase: 'done',
      outcome: 'abandoned',
      endedAt: UNTIL,
      kept: { ...KEPT, unwatched: true },
      split: KEPT.split,
    }),
  ],
  ['with a policy', at('bake', { phase: 'baking', access: access(POLICY) })],
  ['without a policy', at('bake', { phase: 'baking', access: access(null) })],
];

const FRAME = { width: 1_000, height: Number.POSITIVE_INFINITY, colour: false, now: NOW };

/** Markdown, HTML and terminal alike: the words alone. */
function plain(text: string): string {
  return text
    .replaceAll('**', '')
    .replaceAll('\u00a0', ' ')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .toLowerCase();
}

function shownBy(view: RolloutView) {
  return {
    ui: plain(details(view)),
    picture: plain(renderView(view, FRAME).join('\n')),
    line: plain(renderLine(view, NOW)),
    report: plain(renderReport(view, { now: NOW, version: '0' }, { styles: [], scripts: [] })),
    call: plain(
      callLines(view, NOW)
        .map((line) => line.map(({ text }) => text).join(''))
        .join('\n'),
    ),
  };
}

describe.each(STATES)('%s', (_, state) => {
  const view = viewOf(state);
  const shown = shownBy(view);
  const commands = choicesOf(view).map(({ command }) => command.toLowerCase());

  test('the commands are the same in every view', () => {
    const found = (text: string) =>
      [
        ...text.matchAll(/sluice (?:approve|reject|pause|resume|promote|skip|retry|abort) [^|`\n]*?(?=`| {2}|\n|$)/g),
      ].map(([all]) => all.trim());
    expect(found(shown.ui)).toEqual(commands);
    expect(found(shown.picture)).toEqual(commands);
    expect(found(shown.call)).toEqual(commands);
  });

  test('the state and the reason are the same in every view', () => {
    for (const text of [shown.ui, shown.picture]) expect(text).toContain(stateWord(view).toLowerCase());
    if (view.reason === null) return;
    for (const text of [shown.ui, shown.picture, shown.line, shown.report])
      expect(text).toContain(view.reason.toLowerCase());
  });

  test('the traffic is the same in every view', () => {
    const words = trafficWords(view).toLowerCase();
    for (const text of [shown.ui, shown.line, shown.report]) expect(text).toContain(words);
    const traffic = trafficOf(view);
    if (traffic.kind === 'split') {
      expect(shown.picture).toMatch(
        new RegExp(`stable ${traffic.stable} [█░]+ candidate ${traffic.candidate} ${traffic.weight} %`),
      );
    } else expect(shown.picture).toContain(words);
  });

  test('what it waits for, and until when, are the same in every view', () => {
    const { waitingFor } = view;
    const all = Object.values(shown);
    if (waitingFor === null) {
      for (const text of all) expect(text).not.toContain('waiting for the');
      return;
    }
    for (const text of all) {
      expect(text).toContain(`waiting for ${waitingFor.what.toLowerCase()}`);
      expect(text).toContain(waitingFor.otherwise.toLowerCase());
      if (waitingFor.until !== null) expect(text).toContain(moment(waitingFor.until).toLowerCase());
    }
  });

  test('the time of the verdict and the access are the same in every view', () => {
    for (const text of [shown.ui, shown.picture, shown.report]) expect(text).toContain('as of 10:00:00 utc');
    const words = accessWords(view)?.toLowerCase();
    if (words === undefined) return;
    for (const text of [shown.ui, shown.report]) expect(text).toContain(words);
    expect(shown.picture.includes(words)).toBe(view.access?.policy === null);
  });
});
