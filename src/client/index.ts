/** The typed client of Sluice. */
import { approvals } from './approvals.js';
import { mustBeNames, mustBeUntil, mustBeVerb, targeted } from './arguments.js';
import { audit } from './audit.js';
import type { ConnectOptions } from './connect.js';
import { connectLink } from './connect.js';
import { rollout } from './full-view.js';
import { history, list, releases } from './list.js';
import { look } from './look.js';
import { adopt, callers, moveCallers, plan, sweep } from './operations.js';
import { prune } from './prune.js';
import { start, undo, unhold } from './start.js';
import type { Sluice } from './types.js';
import { verb } from './verbs.js';
import { wait, watch } from './watch.js';

export type { ErrorCode } from '../model/errors.js';
export { SluiceError } from '../model/errors.js';
export type { RolloutInput, Spec } from '../model/spec.js';
export type * from '../model/view.js';
export type { MessageVerb, OnNewRelease, Outcome, Phase, RolloutType } from '../model/words.js';
export type { ConnectOptions } from './connect.js';
export { addressOf, connectLink } from './connect.js';
export { diagnoseFrom } from './diagnose.js';
export type { LoginHost } from './login.js';
export { packInput } from './packing.js';
export { resultOf } from './result.js';
export type * from './types.js';

/** Connects to the server that TEMPORAL_* name. Errors: SLUICE_UNREACHABLE, SLUICE_SETUP. Close it when done. */
export async function connect(options: ConnectOptions = {}): Promise<Sluice> {
  const link = await connectLink(options);
  return {
    address: link.address,
    namespace: link.namespace,
    start: async (request) => start(link, targeted(request)),
    status: async (target) => {
      const { view, ended, trouble } = await look(link, targeted(target));
      return { view, ended, trouble };
    },
    rollout: async (target, run) => rollout(link, targeted(target), run),
    approvals: () => approvals(link),
    audit: async (target) => ({ entries: await audit(link, targeted(target)), signer: await link.signer() }),
    verb: async (target, said, args = {}) => {
      targeted(target);
      mustBeVerb(said);
      return verb(link, target, said, args);
    },
    watch: async function* (target, watching) {
      yield* watch(link, targeted(target), watching);
    },
    wait: async (target, until, watching) => {
      targeted(target);
      mustBeUntil(until);
      return wait(link, target, until, watching);
    },
    list: (filter = {}) => list(link, filter),
    releases: async (app, environment) => {
      mustBeNames(app, environment);
      return releases(link, app, environment);
    },
    history: async (target) => history(link, targeted(target)),
    undo: async (target, args = {}) => undo(link, targeted(target), args),
    unhold: async (target, args = {}) => unhold(link, targeted(target), args),
    plan: async (request) => plan(link, targeted(request)),
    sweep: (account) => sweep(link, account),
    prune: (of) => prune(link, of),
    adopt: async (request) => adopt(link, targeted(request)),
    callers: async (request) => callers(link, targeted(request)),
    moveCallers: async (request) => moveCallers(link, targeted(request)),
    close: () => link.close(),
  };
}
