/** The typed client of Sluice. */
import { approvals } from './approvals.js';
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
    start: (request) => start(link, request),
    status: async (target) => {
      const { view, ended, trouble } = await look(link, target);
      return { view, ended, trouble };
    },
    rollout: (target, run) => rollout(link, target, run),
    approvals: () => approvals(link),
    audit: async (target) => ({ entries: await audit(link, target), signer: await link.signer() }),
    verb: (target, said, args) => verb(link, target, said, args),
    watch: (target, watching) => watch(link, target, watching),
    wait: (target, until, watching) => wait(link, target, until, watching),
    list: (filter) => list(link, filter),
    releases: (app, environment) => releases(link, app, environment),
    history: (target) => history(link, target),
    undo: (target, args) => undo(link, target, args),
    unhold: (target, args) => unhold(link, target, args),
    plan: (request) => plan(link, request),
    sweep: (account) => sweep(link, account),
    prune: (of) => prune(link, of),
    adopt: (request) => adopt(link, request),
    callers: (request) => callers(link, request),
    moveCallers: (request) => moveCallers(link, request),
    close: () => link.close(),
  };
}
