/** Late attempts: one that a worker left behind must not write `$LATEST` after its rollout restored it. */
import { SluiceError } from '../../../model/errors.js';
import type { BeforeState } from '../../port.js';
import { sameRun } from '../../shared/description.js';
import { ForeignChange } from '../../shared/foreign.js';
import { NO_SPLIT } from '../../shared/splits.js';
import { found, readAlias } from './alias.js';
import type { Session } from './client.js';
import { address } from './commands.js';

/**
 * Keeps an attempt to deploy from writing `$LATEST` after its rollout restored it: if callers run `$LATEST` itself, a worker
 * that was cut off and wakes up again must not give them the release once more. Such an attempt fails with SLUICE_BUSY; a
 * living one is retried. Otherwise a late write of `$LATEST` reaches nobody, and nothing is checked.
 */
export class Late {
  private readonly watched: boolean;
  private readonly done = new Set<string>();

  constructor(
    private readonly session: Session,
    private readonly of: { before: BeforeState; mark: string; adopted: string | undefined },
  ) {
    this.watched = of.before.latest !== undefined;
  }

  /**
   * Between reading `$LATEST` and writing it: a rollback writes the alias first, so either this read came before it, or its
   * revision will be spent. Errors: SLUICE_FOREIGN_CHANGE if someone else changed the alias, perhaps another rollout.
   */
  async look(): Promise<void> {
    if (!this.watched) return;
    const { before, mark, adopted } = this.of;
    const alias = await readAlias(this.session);
    // Deploying comes before any write of the alias by this rollout.
    if (sameRun(alias?.mark ?? null, mark)) throw this.error();
    const expected = adopted ?? before.revision ?? '';
    if ((alias?.revision ?? '') === expected) return;
    throw new ForeignChange(
      `${address(this.session)} was changed by someone else before the release was deployed: ${found(alias)}; expected revision ${expected}. $LATEST, which callers of the bare name run, is not written`,
      alias?.split ?? NO_SPLIT,
    );
  }

  /** Before a write of this kind: one that must be repeated was rolled back. */
  once(kind: string): void {
    if (this.watched && this.done.has(kind)) throw this.error();
    this.done.add(kind);
  }

  /** After a write: whether its revision was spent. */
  spent(answer: unknown): void {
    if (this.watched && answer === null) throw this.error();
  }

  private error(): SluiceError {
    return new SluiceError(
      'SLUICE_BUSY',
      `$LATEST of ${this.session.target.function} has changed while the release was deployed; this attempt writes nothing more`,
    );
  }
}
