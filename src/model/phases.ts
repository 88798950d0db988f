/** The phases of an open rollout. */
export const PHASES = [
  'pending',
  'preparing',
  'deploying',
  'shifting',
  'baking',
  'awaitingApproval',
  'paused',
  'held',
  'promoting',
  'restoring',
  'stuck',
] as const;
/** What an open rollout is doing. */
export type Phase = (typeof PHASES)[number];
