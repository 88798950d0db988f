/**
 * Decrypts messages that arrived encrypted. Whether one can be decrypted depends on a worker's keys, so an activity does it
 * and its recorded answer counts: a replay with other keys takes the same path. Messages queue up and are decrypted in
 * batches, so that a flood of them never blocks an abort.
 */
import { CancellationScope, sleep } from '@temporalio/workflow';
import { failureOf } from '../src/model/rollout/failure.js';
import type { Unsealed } from '../src/model/sealed.js';
import { core } from './calls.js';

/** Most messages that one activity decrypts, */
const BATCH = 400;
/** and most of their characters: below the limit of 2 MB for a payload. */
const BATCH_SIZE = 1_200_000;
/** A verb is a signed statement and a comment. */
export const LONGEST_VERB = 64_000;
/** A release, or what a rollout reports to the companion, contains a spec. */
export const LONGEST_RELEASE = BATCH_SIZE;
/** First and longest wait before asking again for a worker with the missing key, in ms. */
const AGAIN = 2_000;
const AGAIN_MAX = 30_000;

interface Limits {
  /** Characters of a message. */
  longest: number;
  /** How long a message waits for a worker with its key, in ms. Those behind it wait too. */
  patience: number;
}

interface Waiting {
  name: string;
  sealed: string;
  /** ms since the epoch. */
  until: number;
  take: (opened: Unsealed) => void;
}

export class Unsealing {
  private draining = false;
  /** The first in the queue waits for a worker with its key. */
  private patient = false;
  private waiting: Waiting[] = [];

  constructor(private readonly limits: Limits) {}

  /** Nothing waits to be decrypted. A run does not continue as new before that. */
  get idle(): boolean {
    return this.waiting.length === 0;
  }

  /** A worker is decrypting one. False while the first only waits for a key. */
  get busy(): boolean {
    return !this.idle && !this.patient;
  }

  /** `take` gets the content of the message, or why it cannot be decrypted. It must not throw. */
  line(name: string, sealed: string, take: (opened: Unsealed) => void): void {
    const { longest, patience } = this.limits;
    if (sealed.length > longest) {
      take({ ok: false, why: 'it is too long', late: false });
      return;
    }
    this.waiting.push({ name, sealed, take, until: Date.now() + patience });
    // A cancel of the workflow does not stop it.
    if (!this.draining) void CancellationScope.nonCancellable(() => this.drain());
  }

  /** The same for a caller that waits for the answer. */
  one(name: string, sealed: string): Promise<Unsealed> {
    return new Promise((resolve) => this.line(name, sealed, resolve));
  }

  private async drain(): Promise<void> {
    this.draining = true;
    try {
      for (let wait = AGAIN, most = BATCH; this.waiting.length > 0; ) {
        if (this.take(await ask(this.batch(most)))) [wait, most, this.patient] = [AGAIN, BATCH, false];
        else {
          // Those behind it were sent to a worker once, and need not be sent again before their turn.
          most = 1;
          this.patient = true;
          await sleep(wait, { summary: 'wait for a worker that has the key of a message' });
          wait = Math.min(wait * 2, AGAIN_MAX);
        }
      }
    } finally {
      this.patient = false;
      this.draining = false;
    }
  }

  /** As many of the first as one activity can decrypt. An abort outranks everything, here too. */
  private batch(most: number): Waiting[] {
    this.waiting.sort((a, b) => Number(b.name === 'abort') - Number(a.name === 'abort'));
    let size = 0;
    const end = this.waiting.findIndex(({ sealed }, at) => {
      size += sealed.length;
      return at === most || size > BATCH_SIZE;
    });
    return this.waiting.slice(0, end === -1 ? undefined : Math.max(1, end));
  }

  /** Passes on the answers, in order. False at the first message that waits for a worker with its key. */
  private take(answered: Map<Waiting, Unsealed>): boolean {
    for (const [each, opened] of answered) {
      if (!opened.ok && opened.late && Date.now() < each.until) return false;
      each.take(opened);
      // Only now, so that an empty queue means that its messages were taken.
      this.waiting = this.waiting.filter((other) => other !== each);
    }
    return true;
  }
}

async function ask(batch: Waiting[]): Promise<Map<Waiting, Unsealed>> {
  try {
    const answers = await core.unseal({ sealed: batch.map(({ sealed }) => sealed) });
    // Someone else may have answered instead of a worker, with anything.
    return new Map(batch.map((each, at) => [each, sane(Array.isArray(answers) ? answers[at] : undefined)]));
  } catch (error) {
    const why = `no worker could decrypt it: ${failureOf(error).message}`;
    return new Map(batch.map((each) => [each, { ok: false, why, late: true }]));
  }
}

function sane(answer: Unsealed | null | undefined): Unsealed {
  if (answer?.ok === true) return { ok: true, value: answer.value };
  const why = typeof answer?.why === 'string' ? answer.why : 'it could not be decrypted';
  return { ok: false, why, late: answer?.late === true };
}
