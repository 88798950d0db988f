/** The commands by what a person wants, each loaded only when it is used. */
import type { Verb } from '../model/words.js';
import type { Command } from './command.js';

type Load = () => Promise<Command>;

export interface Group {
  title: string;
  commands: Record<string, Load>;
}

/** Groups and commands in the order of the help. */
export const GROUPS: readonly Group[] = [
  {
    title: 'Begin: write a spec and release it',
    commands: {
      up: () => import('./verbs/up.js').then((m) => m.up),
      init: () => import('./verbs/init.js').then((m) => m.init),
      adopt: () => import('./verbs/adopt.js').then((m) => m.adopt),
      schema: () => import('./verbs/schema.js').then((m) => m.schema),
      validate: () => import('./verbs/validate.js').then((m) => m.validate),
      plan: () => import('./verbs/plan.js').then((m) => m.plan),
      start: () => import('./verbs/start.js').then((m) => m.start),
      pack: () => import('./verbs/pack.js').then((m) => m.pack),
    },
  },
  {
    title: 'Steer: decide about a rollout',
    commands: {
      approve: () => import('./verbs/approve.js').then((m) => m.approve),
      reject: () => import('./verbs/reject.js').then((m) => m.reject),
      pause: () => import('./verbs/pause.js').then((m) => m.pause),
      resume: () => import('./verbs/resume.js').then((m) => m.resume),
      skip: () => import('./verbs/skip.js').then((m) => m.skip),
      promote: () => import('./verbs/promote.js').then((m) => m.promote),
      retry: () => import('./verbs/retry.js').then((m) => m.retry),
      abort: () => import('./verbs/abort.js').then((m) => m.abort),
      undo: () => import('./verbs/undo.js').then((m) => m.undo),
      unhold: () => import('./verbs/unhold.js').then((m) => m.unhold),
    } satisfies Record<Verb | 'unhold', Load>,
  },
  {
    title: 'Look: see what is happening, and what happened',
    commands: {
      get: () => import('./verbs/get.js').then((m) => m.get),
      status: () => import('./verbs/status.js').then((m) => m.status),
      list: () => import('./verbs/list.js').then((m) => m.list),
      approvals: () => import('./verbs/approvals.js').then((m) => m.approvals),
      releases: () => import('./verbs/releases.js').then((m) => m.releases),
      history: () => import('./verbs/history.js').then((m) => m.history),
      report: () => import('./verbs/report.js').then((m) => m.report),
      audit: () => import('./verbs/audit.js').then((m) => m.audit),
    },
  },
  {
    title: 'Operate: run Sluice and keep it healthy',
    commands: {
      worker: () => import('./verbs/worker.js').then((m) => m.worker),
      doctor: () => import('./verbs/doctor.js').then((m) => m.doctor),
      key: () => import('./verbs/key.js').then((m) => m.key),
      policy: () => import('./verbs/policy.js').then((m) => m.policy),
      codec: () => import('./verbs/codec.js').then((m) => m.codec),
      judge: () => import('./verbs/judge.js').then((m) => m.judge),
      sweep: () => import('./verbs/sweep.js').then((m) => m.sweep),
      prune: () => import('./verbs/prune.js').then((m) => m.prune),
    },
  },
];

export const COMMANDS: Record<string, Load> = Object.assign({}, ...GROUPS.map(({ commands }) => commands));

/** Of the commands that exist. */
export function groupOf(name: string): string | undefined {
  return GROUPS.find(({ commands }) => Object.hasOwn(commands, name))?.title;
}

export async function allCommands(): Promise<Command[]> {
  const commands: Command[] = [];
  // One after the other: the modules share most of what they import, and not every loader takes that at once.
  for (const load of Object.values(COMMANDS)) commands.push(await load());
  return commands;
}
