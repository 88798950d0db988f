/** The strategies as people write them: each record's members, and what they share. */
import { z } from 'zod';
import type { JudgeRules } from '../../model/spec.js';
import { STRATEGIES, type StrategySpec } from '../../model/strategy.js';
import { type Parts, ROLLING } from '../../strategies/registry.js';
import { DEFAULTS } from '../defaults.js';
import { judgeOverride } from './health.js';
import { bake, duration, name, strict, weight, whole } from './parts.js';

const approval = strict({
  within: duration(1_000).prefault(DEFAULTS.approval.within).describe('How long the decision may take.'),
  onTimeout: z
    .enum(['rollback', 'hold'])
    .prefault(DEFAULTS.approval.onTimeout)
    .describe('What happens when nobody decides in time.'),
  people: whole(1, 20).prefault(DEFAULTS.approval.people).describe('How many different people must approve.'),
  notStarter: z
    .boolean()
    .prefault(DEFAULTS.approval.notStarter)
    .describe('Whoever started the rollout does not count (four eyes).'),
  comment: z.boolean().prefault(DEFAULTS.approval.comment).describe('A decision needs a comment.'),
  remindEvery: duration(60_000)
    .prefault(DEFAULTS.approval.remindEvery)
    .describe('Time to the first reminder; each wait after that is twice as long.'),
});

/** What is absent is not there at all, since neither YAML nor JSON has `undefined`. */
const judge = judgeOverride as z.ZodType<Partial<JudgeRules>, unknown>;

const PARTS: Parts = { strict, name, duration, weight, bake, approval, judge };

const forms = Object.entries(ROLLING).map(([type, { means, members }]) =>
  strict({ type: z.literal(type).describe(means), ...members(PARTS) }),
);

/** Each record has a schema for each of its members, by type; the compiler does not see that together they are these. */
export const strategy = z.discriminatedUnion('type', forms as [(typeof forms)[number]], {
  error: (issue) => (issue.code === 'invalid_union' ? `expected one of ${STRATEGIES.join(', ')}` : undefined),
}) as unknown as z.ZodType<StrategySpec, unknown>;
