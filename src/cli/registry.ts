/** The commands, each loaded only when it is used. */
import type { Command } from './command.js';

/** In the order of the help. */
export const COMMANDS: Record<string, () => Promise<Command>> = {
  up: () => import('./verbs/up.js').then((m) => m.up),
  worker: () => import('./verbs/worker.js').then((m) => m.worker),
  init: () => import('./verbs/init.js').then((m) => m.init),
  adopt: () => import('./verbs/adopt.js').then((m) => m.adopt),
  validate: () => import('./verbs/validate.js').then((m) => m.validate),
  plan: () => import('./verbs/plan.js').then((m) => m.plan),
  pack: () => import('./verbs/pack.js').then((m) => m.pack),
  start: () => import('./verbs/start.js').then((m) => m.start),
  list: () => import('./verbs/list.js').then((m) => m.list),
  get: () => import('./verbs/get.js').then((m) => m.get),
  status: () => import('./verbs/status.js').then((m) => m.status),
  approvals: () => import('./verbs/approvals.js').then((m) => m.approvals),
  approve: () => import('./verbs/approve.js').then((m) => m.approve),
  reject: () => import('./verbs/reject.js').then((m) => m.reject),
  pause: () => import('./verbs/pause.js').then((m) => m.pause),
  resume: () => import('./verbs/resume.js').then((m) => m.resume),
  promote: () => import('./verbs/promote.js').then((m) => m.promote),
  skip: () => import('./verbs/skip.js').then((m) => m.skip),
  retry: () => import('./verbs/retry.js').then((m) => m.retry),
  abort: () => import('./verbs/abort.js').then((m) => m.abort),
  undo: () => import('./verbs/undo.js').then((m) => m.undo),
  unhold: () => import('./verbs/unhold.js').then((m) => m.unhold),
  releases: () => import('./verbs/releases.js').then((m) => m.releases),
  history: () => import('./verbs/history.js').then((m) => m.history),
  report: () => import('./verbs/report.js').then((m) => m.report),
  audit: () => import('./verbs/audit.js').then((m) => m.audit),
  sweep: () => import('./verbs/sweep.js').then((m) => m.sweep),
  prune: () => import('./verbs/prune.js').then((m) => m.prune),
  judge: () => import('./verbs/judge.js').then((m) => m.judge),
  policy: () => import('./verbs/policy.js').then((m) => m.policy),
  key: () => import('./verbs/key.js').then((m) => m.key),
  codec: () => import('./verbs/codec.js').then((m) => m.codec),
  schema: () => import('./verbs/schema.js').then((m) => m.schema),
  doctor: () => import('./verbs/doctor.js').then((m) => m.doctor),
};

export async function allCommands(): Promise<Command[]> {
  const commands: Command[] = [];
  // One after the other: the modules share most of what they import, and not every loader takes that at once.
  for (const load of Object.values(COMMANDS)) commands.push(await load());
  return commands;
}
