/** Signing what is said, where whoever says it has a key. */
import { audienceOf, sign, specDigest, validFor } from '../access/index.js';
import type { StartStatement, Statement, VerbStatement } from '../model/access.js';
import { SluiceError } from '../model/errors.js';
import type { RolloutInput } from '../model/spec.js';
import { clean } from '../model/text.js';
import type { Decision, VerbArgs } from '../model/view.js';
import type { MessageVerb } from '../model/words.js';
import type { Link } from './connect.js';
import { describe, firstRun, look } from './look.js';
import type { TargetName } from './types.js';

async function signed(link: Link, statement: Statement, waits = false): Promise<string | null> {
  const signer = await link.signer();
  if (signer === null) return null;
  const valid = validFor(statement, waits);
  return sign(statement, signer, { audience: audienceOf(link.namespace), now: Date.now(), valid });
}

/** The proof of a start; null without a key. `waits`: it may stand in the queue for long. */
export async function startProof(
  link: Link,
  of: Omit<StartStatement, 'spec'> & { input: RolloutInput },
  waits = false,
): Promise<string | null> {
  const { input, act, app, environment, strategy, release } = of;
  const spec = act === 'undo' ? null : specDigest(input);
  return signed(link, { act, app, environment, strategy, spec, release }, waits);
}

/** The proof of a verb; null without a key. Errors: SLUICE_VERB when a decision has no gate. */
export async function verbProof(
  link: Link,
  target: TargetName,
  verb: MessageVerb,
  args: Decision & VerbArgs,
): Promise<string | null> {
  if ((await link.signer()) === null) return null;
  const { app, environment } = target;
  const { comment, full, force, adopt } = args;
  const statement: VerbStatement = {
    act: verb,
    app,
    environment,
    // Who aborts needs no worker for it.
    run: firstRun(await describe(link, target)),
    ...(comment === undefined ? {} : { comment: clean(comment, 300) }),
    ...(full === true ? { full } : {}),
    ...(force === true ? { force } : {}),
    ...(adopt === true ? { adopt } : {}),
  };
  if (verb === 'approve' || verb === 'reject') statement.gate = await gateOf(link, target, verb, args.stage);
  return signed(link, statement);
}

/** The open gate, exactly as it is published. */
async function gateOf(link: Link, target: TargetName, verb: string, stage: string | undefined) {
  const { view } = await look(link, target);
  const gate = view.waitingFor?.gate ?? null;
  const name = `${target.app}/${target.environment}`;
  if (gate === null) throw new SluiceError('SLUICE_VERB', `${verb}: no approval is open at ${name}`);
  if (stage !== undefined && stage !== gate.stage) {
    throw new SluiceError(
      'SLUICE_VERB',
      `stage "${clean(stage, 60)}" is not the one that waits; that is "${gate.stage}"`,
    );
  }
  const { id, plan, expires } = gate;
  return { id, stage: gate.stage, plan, expires };
}
