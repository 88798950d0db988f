/** Ticks a second of the judge, for who wonders what a worker with many rollouts spends on it. */
import { judgeOf, rulesFrom } from '../../src/judge/index.js';
import { kernel } from '../../src/judge/kernel.js';
import type { JudgeRules } from '../../src/model/spec.js';

/** Ms that each is measured for. */
const SPAN = 500;
/** Ticks between two looks at the clock. */
const BURST = 100;

export interface Speed {
  /** Updates of one metric a second. */
  kernel: number;
  /** Ticks of one source a second, all metrics and the decision. */
  judgeOf: number;
}

export function speedOf(rules: JudgeRules): Speed {
  const { start, bet } = kernel(rulesFrom().stakes);
  let wealth = start();
  const judge = judgeOf({
    rules,
    baselines: {},
    sources: ['metric requests'],
    users: ['metric requests'],
    firing: [],
  });
  let state = judge.start(10);
  return {
    kernel: perSecond((id) => {
      wealth = bet(wealth, { bad: id % 10 === 0 ? 1 : 0, total: 1, expected: 0.1 }, false);
    }),
    judgeOf: perSecond((id) => {
      const stable = { requests: 18, errors: id % 50 === 0 ? 1 : 0 };
      state = judge.tick(state, { source: 'metric requests', id, stable, candidate: { requests: 2, errors: 0 } });
    }),
  };
}

function perSecond(tick: (id: number) => void): number {
  const began = performance.now();
  let ticks = 0;
  for (;;) {
    for (let i = 0; i < BURST; i += 1) {
      ticks += 1;
      tick(ticks);
    }
    const passed = performance.now() - began;
    if (passed >= SPAN) return (ticks / passed) * 1_000;
  }
}
