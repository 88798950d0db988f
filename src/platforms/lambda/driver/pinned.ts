/** `release: {latest: true}`: what someone else has put into `$LATEST` is published as it is. Nothing in it is written. */
import { SluiceError } from '../../../model/errors.js';
import type { Release } from '../../../model/spec.js';
import type { BeforeState, Finding, Pinned } from '../../port.js';
import { refuse, warn } from '../../shared/findings.js';
import type { Session } from './client.js';
import { type LambdaConfiguration, releaseOf, waitUntilUsable } from './configuration.js';
import { identicalStable, publishedBefore, publishLatest } from './publish.js';

export function pinnedOf(latest: LambdaConfiguration): Pinned {
  return { digest: latest.CodeSha256 ?? '', revision: latest.RevisionId ?? '' };
}

/** Whether `$LATEST` may be pinned: while it is being updated, its RevisionId is not its last one. Pure. */
export function checkLatest(fn: string, latest: LambdaConfiguration): Finding[] {
  if (latest.LastUpdateStatus === 'InProgress' || latest.State === 'Pending') {
    return [
      refuse(
        'SLUICE_TARGET',
        `$LATEST of ${fn} is being updated, so what would be released is unknown. Wait with \`aws lambda wait function-updated-v2 --function-name ${fn}\`, then start again`,
      ),
    ];
  }
  if (latest.LastUpdateStatus === 'Failed' || latest.State === 'Failed') {
    const why = latest.LastUpdateStatusReason ?? latest.StateReason ?? 'the provider gives no reason';
    return [refuse('SLUICE_TARGET', `$LATEST of ${fn} cannot be released, its last update failed: ${why}`)];
  }
  return [
    warn(
      'PINNED',
      `the release is $LATEST of ${fn} as it is now: ${said(pinnedOf(latest))}, last changed ${latest.LastModified ?? 'at a time that AWS does not say'}. If $LATEST changes after the rollout begins and before it is published, the rollout is refused`,
    ),
  ];
}

/**
 * Publishes `$LATEST` if it is still what was pinned when the run was prepared, or finds what an earlier try has published.
 * Errors: SLUICE_TARGET when it has changed.
 */
export async function publishPinned(
  session: Session,
  { before, mark }: { before: BeforeState; mark: string },
): Promise<Release> {
  const { pinned } = before;
  const { function: fn } = session.target;
  if (pinned === undefined) {
    throw new SluiceError('SLUICE_TARGET', `what $LATEST of ${fn} was at the start is not recorded; start again`);
  }
  const published = async () => {
    const version = await publishedBefore(session, pinned, mark);
    return version === null ? null : releaseOf(await waitUntilUsable(session, version));
  };
  const earlier = await published();
  if (earlier !== null) return earlier;
  const latest = await waitUntilUsable(session);
  const now = pinnedOf(latest);
  if (now.digest !== pinned.digest || now.revision !== pinned.revision) throw changed(fn, pinned, now);
  const same = await identicalStable(session, latest, before);
  if (same !== null) return same;
  const release = await publishLatest(session, latest, {}, mark);
  // A call of ours whose answer was lost may have spent the revision.
  const found = release ?? (await published());
  if (found === null) throw changed(fn, pinned, pinnedOf(await waitUntilUsable(session)));
  return found;
}

function changed(fn: string, was: Pinned, is: Pinned): SluiceError {
  const what = was.digest === is.digest ? 'its configuration is another one' : 'its code is another one';
  return new SluiceError(
    'SLUICE_TARGET',
    `$LATEST of ${fn} has changed since this rollout began, ${what} (it was ${said(was)}, it is ${said(is)}). Nothing was published. Start again to release what it is now`,
  );
}

function said({ digest, revision }: Pinned): string {
  return `code ${digest}, revision ${revision}`;
}
