/** What was read of a target, and what follows from it. Pure. */
import { createHash } from 'node:crypto';
import type { RampUpRule, Site, SiteConfigResource } from '@azure/arm-appservice';
import { SluiceError } from '../../../model/errors.js';
import { parseMark } from '../../../model/ids.js';
import { targetName } from '../../../model/target.js';
import type { RestoreArgs, Split, Written } from '../../port.js';
import { sameRun } from '../../shared/description.js';
import { ForeignChange } from '../../shared/foreign.js';
import { NO_SPLIT, sameSplit, say, whole } from '../../shared/splits.js';
import type { Session } from './client.js';
import type { Holding } from './environments.js';
import type { Place } from './site.js';

/** Production or the slot, with what runs there. */
export interface Slot extends Place, Holding {
  /** The last deployment that Kudu knows; null: nothing was ever deployed. */
  deployment: string | null;
  arm: Site;
}

export interface State {
  production: Slot;
  /** Null: the target names none, or it does not exist. */
  slot: Slot | null;
  rules: RampUpRule[];
  config: SiteConfigResource;
  /** The owner's own text on the site. */
  text: string;
  /** Our mark, whole. */
  mark: string | null;
  /** Spent by each restore, so that what was announced before it is late. */
  generation: string;
  /** The slot that production is half swapped with. */
  pending: string | null;
  /** An operation that runs on either slot. */
  operation: string | null;
}

/** Production, and the slot where there is one. */
export function slotsOf({ production, slot }: Pick<State, 'production' | 'slot'>): Slot[] {
  return slot === null ? [production] : [production, slot];
}

/** The release that a slot runs; content that someone else put there gets its own name. */
export function releaseOf(of: {
  setting: string | undefined;
  deployment: string | null;
  running: { release: string | null; deployment: string } | null;
}): string | null {
  const { setting, deployment, running } = of;
  if (deployment === null) return null;
  const ours = running !== null && running.deployment === deployment;
  if (ours && running.release === (setting ?? null)) return running.release;
  return `f-${hash([deployment, setting ?? ''], 12)}`;
}

/** Whether a release's content came from someone else, or is only half there. */
export function isForeignContent(release: string): boolean {
  return release.startsWith('f-');
}

export function splitOf({ production, slot, rules }: State): Split {
  const rule = rules.find(({ reroutePercentage }) => (reroutePercentage ?? 0) > 0);
  if (rule === undefined) return whole(production.release);
  const candidate =
    slot !== null && rule.name === slot.slot && slot.release !== null ? slot.release : `slot ${rule.name}`;
  return { stable: production.release, candidate, weight: rule.reroutePercentage ?? 0 };
}

/** ARM has no revisions, so this replaces one. The parts are compared separately, since a mark is written before its write. */
export function revisionOf(state: State): string {
  return [state.generation || '0', trafficOf(state), hash([state.mark, state.text], 8)].join('~');
}

function trafficOf({ production, rules }: Pick<State, 'production' | 'rules'>): string {
  const ruled = rules.map(({ name, reroutePercentage }) => [name, reroutePercentage ?? 0]);
  return hash([production.release, production.deployment, ruled], 12);
}

/** Traffic and generation are as they were at that revision, whatever the mark says. */
export function sameTraffic(state: Pick<State, 'generation' | 'production' | 'rules'>, revision: string): boolean {
  const [generation, traffic] = revision.split('~');
  return (state.generation || '0') === generation && trafficOf(state) === traffic;
}

export function sameGeneration(state: State, revision: string): boolean {
  return revision.split('~')[0] === (state.generation || '0');
}

export function writtenOf(state: State): Written {
  return { revision: revisionOf(state), split: splitOf(state) };
}

/** Whether the target was restored by the run that wrote `mark`. */
export function restoredBy({ generation }: Pick<State, 'generation'>, mark: string): boolean {
  return generation !== '' && generation.split('.')[0] === parseMark(mark)?.run;
}

/**
 * Whether the state is the before-state or an effect of this rollout: each write leaves its mark first, so a write's mark may
 * appear beside what was there before it.
 */
export function isExplained(now: State | null, args: Omit<RestoreArgs, 'spec' | 'force'>): boolean {
  const { before, attempted, lastRevision, mark } = args;
  if (now === null) return before.split.stable === null;
  const revision = revisionOf(now);
  if (revision === lastRevision || revision === before.revision) return true;
  if (before.revision === null && now.mark === null && now.production.release === null) return true;
  const at = [...attempted.map((write) => write.mark), mark].lastIndexOf(now.mark ?? '');
  if (at === -1) return now.mark !== null && sameRun(now.mark, mark) && sameSplit(splitOf(now), before.split);
  const ours = [before.split, ...attempted.slice(0, at + 1).map((write) => write.split)];
  const split = splitOf(now);
  if (ours.some((one) => sameSplit(one, split))) return true;
  // Half of a publication to production: new settings, or new files, and not yet both.
  return split.stable !== null && split.candidate === null && isForeignContent(split.stable);
}

/** Errors: SLUICE_NOT_FOUND, with what the slot holds instead. */
export function slotWith(session: Session, { slot }: State, candidate: string): Slot {
  if (slot?.release === candidate) return slot;
  const holds = slot === null ? 'there is no such slot' : `it holds ${slot.release ?? 'nothing'}`;
  throw new SluiceError(
    'SLUICE_NOT_FOUND',
    `${targetName(session.target)} does not hold ${candidate}: ${holds}. Start a new rollout, which deploys it again`,
  );
}

/** Says what was found, who left it, and what was expected. */
export function foreignChange(
  name: string,
  found: State | null,
  revision: string | null,
  wanted: Split,
): ForeignChange {
  const is =
    found === null
      ? 'does not exist'
      : `sends ${say(splitOf(found))} at revision ${revisionOf(found)} (${found.mark === null ? 'no mark of Sluice' : `mark ${found.mark}`})`;
  const expected = revision === null ? 'no release in production' : `revision ${revision}`;
  return new ForeignChange(
    `${name} was changed by someone else: it ${is}; expected ${expected}, to write ${say(wanted)}. Nothing was written`,
    found === null ? NO_SPLIT : splitOf(found),
  );
}

function hash(value: unknown, length: number): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, length);
}
