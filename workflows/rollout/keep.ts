/** The way out of a foreign change that writes nothing: someone else's change stays, and the rollout ends. */

import { failureOf } from '../../src/model/rollout/failure.js';
import { mayKeep } from '../../src/model/rollout/gate.js';
import { isPart, saySplit, shareOf } from '../../src/model/traffic.js';
import type { Split } from '../../src/platforms/port.js';
import { restoring } from '../calls.js';
import type { Run } from './run.js';

/** How long to try to read the target before the requester gets an answer, in ms. */
const READ_WITHIN = 5_000;

export interface KeepRequest {
  by: string;
  /** `: why`, or nothing. */
  said: string;
  /** Also if nothing watches what is left. */
  unwatched: boolean;
}

export class Keep {
  private reading = 0;

  constructor(private readonly run: Run) {}

  /** No read of the target is running. A run does not continue as new before that. */
  get idle(): boolean {
    return this.reading === 0;
  }

  /** Whether a foreign change waits for a person's decision. */
  get possible(): boolean {
    const { phase, code, kept } = this.run.state;
    return mayKeep({ phase, code, kept: kept !== null });
  }

  /** Keeps the change after a fresh read of it. Null once it is kept; otherwise why it is not. */
  async keep({ by, said, unwatched }: KeepRequest): Promise<string | null> {
    const { state, journal } = this.run;
    const { phaseSince } = state;
    const read = await this.read();
    // Someone faster has decided, and what was read may be outdated.
    if (!this.possible || state.phaseSince !== phaseSince) return 'another command arrived meanwhile';
    if (read.split === null && !unwatched) {
      return `the target could not be read: ${read.why}. Send abort with {"keep":true} again, or with {"keep":true,"unwatched":true} to end without reading it`;
    }
    const split = read.split ?? state.split ?? { stable: null, candidate: null, weight: 0 };
    this.run.saw(split);
    const candidate = state.release?.version ?? null;
    const part = isPart(split, candidate);
    if (part && !unwatched) {
      journal.publish();
      return `candidate ${candidate} has ${shareOf(split, candidate)} % and nothing would watch it; send abort with {"keep":true,"unwatched":true} to leave it, or with {"force":true} to roll back`;
    }
    const kept = { split, by, unwatched: part || read.split === null };
    const { leave } = state;
    const left = kept.unwatched ? ', which nothing watches' : '';
    const looked = read.split === null ? ' when it was last read' : '';
    const before = leave === null ? '' : `. It was rolling back: ${leave.reason}`;
    this.run.leaveKept(kept, {
      outcome: 'abandoned',
      reason: `${by} kept someone else's change${said}: ${saySplit(split)}${looked}${left}${before}`,
      code: 'SLUICE_FOREIGN_CHANGE',
      canceled: leave?.canceled === true || state.cancel !== null,
    });
    journal.event(`abort --keep${kept.unwatched ? ' --unwatched' : ''}${said}`, by);
    return null;
  }

  /** Temporal's Cancel acts as keep. It cannot say `unwatched`, so it never leaves the candidate a part of the traffic. */
  async cancel(): Promise<void> {
    const { state, journal } = this.run;
    state.cancel = 'answered';
    const why = await this.keep({ by: 'someone', said: ', by a cancel through Temporal', unwatched: false });
    if (why !== null) journal.refusal('cancel', 'someone', why);
  }

  private async read(): Promise<{ split: Split } | { split: null; why: string }> {
    const { state, spec } = this.run;
    this.reading += 1;
    try {
      const { split } = await restoring(spec, READ_WITHIN, 'read what is kept').read({ spec, grant: state.grant });
      return { split };
    } catch (error) {
      return { split: null, why: failureOf(error).message };
    } finally {
      this.reading -= 1;
    }
  }
}
