/** undo: the short way back to a release that served all users before. No strategy that a person chooses in rollout.yaml. */
import { ALL, DEPLOY_STAGE, stepsAt } from './steps.js';
import type { Rolling, SpecOf } from './strategy.js';
import type { Stage } from './types.js';

const DEFAULTS = {
  /** The release served all users before, so a short bake, which only warns, is enough, and whoever undoes is in a hurry. */
  bake: '1m',
} as const;

const LONGEST_BAKE = 3_600_000;

export const undo: Rolling<'undo'> = {
  means: 'Rolls back to a release that served before; `sluice undo` starts it.',
  members: ({ duration }) => ({
    bake: duration(0, LONGEST_BAKE).prefault(DEFAULTS.bake).describe('How long to watch after the rollback.'),
  }),
  reach: 'back',
  plan,
  // The release served before: the short bake, which only warns, is for the way back itself.
  watched: () => [],
  check: ({ release }, fault) => {
    if ('version' in release) return;
    fault(['release'], 'undo rolls back to a version that is already published (release: {version: N})');
  },
};

/**
 * The earlier release served all users before, so that going back to it is no experiment: it is still there, its capacity is
 * waited for within a deadline and no longer, then it gets all traffic. The bake afterwards only warns and rolls nothing back.
 */
function plan(spec: SpecOf<'undo'>): Stage[] {
  const [none, all] = [stepsAt(spec, 0), stepsAt(spec, 100)];
  return [
    { name: DEPLOY_STAGE, steps: none.ready() },
    { name: ALL, steps: [...all.promote(), ...all.observe(spec.strategy.bake), ...all.finish()] },
  ];
}
