/** Blue and green on Lambda: two aliases beside the one that users reach. */
import { SluiceError } from '../../../model/errors.js';
import type { BeforeState, Environments } from '../../port.js';
import { sameRun, sameTarget } from '../../shared/description.js';
import { hasCode } from '../../shared/failures.js';
import { sameSplit, whole } from '../../shared/splits.js';
import { type Alias, deleteAlias, readAlias, writeAlias } from './alias.js';
import type { Session } from './client.js';

const SIDES = ['blue', 'green'] as const;
export type Side = (typeof SIDES)[number];

/** Rounds of writing an alias that someone else writes too. */
const ROUNDS = 5;

/** The alias of an environment: a stable address for tests, beside the one of production. */
export function environmentAlias(alias: string, side: Side): string {
  return `${alias}-${side}`;
}

/** The two environments, null when neither exists. */
export async function readEnvironments(session: Session, stable: string | null): Promise<Environments | null> {
  const [blue, green] = await readBoth(session);
  return blue === null && green === null ? null : environmentsOf(blue, green, stable);
}

/** What each side shall hold. `live` comes first: a rollout that dies between the two writes finds its way again by it. */
export interface Placement {
  live: { side: Side; version: string } | null;
  idle: { side: Side; version: string };
}

/**
 * Which environment gets the candidate: the one that does not hold stable. Where neither does, the one with the older
 * version (an absent one is oldest, blue before green stays live when both are absent), and the other is set to stable.
 * Pure, and the same again when half of it is done.
 */
export function place(
  held: { blue: string | null; green: string | null },
  stable: string | null,
  candidate: string,
  wasLive: Side | null,
): Placement {
  if (stable === null) {
    const side = held.green === candidate && held.blue !== candidate ? 'green' : 'blue';
    return { live: null, idle: { side, version: candidate } };
  }
  const holding = SIDES.filter((side) => held[side] === stable);
  const age = (side: Side) => Number(held[side] ?? 0);
  const newer: Side = age('green') > age('blue') ? 'green' : 'blue';
  const live = holding.length === 1 ? (holding[0] as Side) : holding.length === 2 ? (wasLive ?? 'blue') : newer;
  return {
    live: { side: live, version: stable },
    idle: { side: live === 'blue' ? 'green' : 'blue', version: candidate },
  };
}

/** Puts the candidate into the idle environment. Errors: SLUICE_OWNED, SLUICE_BUSY. */
export async function placeIdle(
  session: Session,
  { before, candidate, mark }: { before: BeforeState; candidate: string; mark: string },
): Promise<Environments> {
  const { stable } = before.split;
  for (let round = 0; round < ROUNDS; round += 1) {
    const [blue, green] = await readBoth(session);
    for (const alias of [blue, green]) refuseOthers(session, alias, mark);
    const now = environmentsOf(blue, green, stable);
    const { live, idle } = place(now, stable, candidate, before.environments?.live ?? null);
    const steps = live === null ? [idle] : [live, idle];
    let written = true;
    for (const { side, version } of steps) {
      written &&= await hold(session, side, side === 'blue' ? blue : green, version, mark);
    }
    if (written) {
      const held = { blue: now.blue, green: now.green };
      for (const { side, version } of steps) held[side] = version;
      return { ...held, live: live?.side ?? null };
    }
  }
  throw busy(session);
}

/** Returns both to what they were before this rollout. What someone else has written since stays. */
export async function restoreEnvironments(session: Session, before: BeforeState, mark: string): Promise<void> {
  for (const side of SIDES) await restoreOne(session, side, before.environments?.[side] ?? null, mark);
}

async function restoreOne(session: Session, side: Side, version: string | null, mark: string): Promise<void> {
  const name = environmentAlias(session.target.alias, side);
  for (let round = 0; round < ROUNDS; round += 1) {
    const now = await readAlias(session, name);
    if (now === null || !sameRun(now.mark, mark)) return;
    if (version === null) return deleteAlias(session, name);
    try {
      if (await hold(session, side, now, version, mark)) return;
    } catch (error) {
      // Its version is gone: there is nothing to return to.
      if (hasCode(error, 'SLUICE_NOT_FOUND')) return;
      throw error;
    }
  }
  throw busy(session);
}

/** One environment holds one version whole. False: its alias changed meanwhile. */
async function hold(session: Session, side: Side, now: Alias | null, version: string, mark: string): Promise<boolean> {
  const split = { ...whole(version), stable: version };
  if (now !== null && sameSplit(now.split, split)) return true;
  const wanted = { split, text: now?.text ?? '', mark };
  return writeAlias(session, environmentAlias(session.target.alias, side), now?.revision ?? null, wanted);
}

async function readBoth(session: Session): Promise<[Alias | null, Alias | null]> {
  const { alias } = session.target;
  return Promise.all([
    readAlias(session, environmentAlias(alias, 'blue')),
    readAlias(session, environmentAlias(alias, 'green')),
  ]);
}

function environmentsOf(blue: Alias | null, green: Alias | null, stable: string | null): Environments {
  const held = { blue: blue?.split.stable ?? null, green: green?.split.stable ?? null };
  const live = stable === null ? undefined : SIDES.find((side) => held[side] === stable);
  return { ...held, live: live ?? null };
}

function refuseOthers(session: Session, alias: Alias | null, mark: string): void {
  if (alias === null || alias.mark === null || sameTarget(alias.mark, mark)) return;
  throw new SluiceError(
    'SLUICE_OWNED',
    `${session.target.function}:${alias.name} carries the mark of another rollout target (${alias.mark}); give this target another alias name`,
  );
}

function busy(session: Session): SluiceError {
  return new SluiceError(
    'SLUICE_BUSY',
    `the environments of ${session.target.function}:${session.target.alias} keep being changed by someone else`,
  );
}
