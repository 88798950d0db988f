/** Signs a statement: with a key, or with a key that a login or a CI job certifies for it. */
import { audienceOf, sign, specDigest, validFor } from '../access/index.js';
import { LONGEST_TOKEN, type StartStatement, type Statement, type VerbStatement } from '../model/access.js';
import { SluiceError } from '../model/errors.js';
import type { RolloutInput } from '../model/spec.js';
import { clean } from '../model/text.js';
import type { Decision, VerbArgs } from '../model/view.js';
import type { MessageVerb } from '../model/words.js';
import { certifiedFor, mayAsk } from './certified.js';
import type { Link } from './connect.js';
import type { Sight } from './sight.js';
import type { AppEnvironment } from './types.js';

interface Asked {
  /** It may wait in the queue for long. */
  waits?: boolean;
  /** Without a signature it is refused. */
  needed?: boolean;
}

async function signed(
  link: Link,
  statement: Statement,
  { waits = false, needed = false }: Asked,
): Promise<string | null> {
  // A login that was asked for goes before the key.
  const own = link.login.when === 'always' ? null : await link.signer();
  const signer = own ?? (await certifiedFor(link, statement, needed));
  if (signer === null) return null;
  const valid = validFor(statement, waits);
  const token = await sign(statement, signer, { audience: audienceOf(link.namespace), now: Date.now(), valid });
  if (token.length <= LONGEST_TOKEN) return token;
  throw new SluiceError(
    'SLUICE_ACCESS',
    `the login's token makes the request ${token.length} characters long, more than the limit of ${LONGEST_TOKEN}; configure the provider to put fewer claims into its ID token`,
  );
}

/** The token of a start; null if nobody signs. `waits`: it may wait in the queue for long. */
export async function startToken(
  link: Link,
  of: Omit<StartStatement, 'spec'> & { input: RolloutInput },
  waits = false,
): Promise<string | null> {
  const { input, act, app, environment, strategy, release, replaces, hold, keepQueue } = of;
  const spec = act === 'undo' || act === 'unhold' ? null : specDigest(input);
  const statement = {
    ...{ act, app, environment, strategy, spec, release },
    ...(replaces === true ? { replaces } : {}),
    ...(hold === true ? { hold } : {}),
    ...(keepQueue === true ? { keepQueue } : {}),
  };
  return signed(link, statement, { waits });
}

/** The proof of a verb; null where nobody signs. Errors: SLUICE_VERB when a decision has no gate. */
export async function verbToken(
  link: Link,
  target: AppEnvironment,
  sight: Sight,
  verb: MessageVerb,
  args: Decision & VerbArgs,
): Promise<string | null> {
  const decides = verb === 'approve' || verb === 'reject';
  if (!mayAsk(link, decides) && (await link.signer()) === null) return null;
  const { app, environment } = target;
  const { comment, full, force, keep, unwatched, adopt } = args;
  const statement: VerbStatement = {
    act: verb,
    app,
    environment,
    // Who aborts needs no worker for it.
    run: await sight.run(),
    ...(comment === undefined ? {} : { comment: clean(comment, 300) }),
    ...(full === true ? { full } : {}),
    ...(force === true ? { force } : {}),
    ...(keep === true ? { keep } : {}),
    ...(unwatched === true ? { unwatched } : {}),
    ...(adopt === true ? { adopt } : {}),
  };
  if (!decides) return signed(link, statement, {});
  const { id, stage, plan, expires, approvers } = await sight.gate(verb, args.stage);
  // If anyone may decide, nobody needs to log in.
  return signed(link, { ...statement, gate: { id, stage, plan, expires } }, { needed: approvers.length > 0 });
}
