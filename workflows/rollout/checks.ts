/**
 * With a policy, a worker checks what people send before it counts: who signed it, and whether they have the right. Updates
 * are checked one by one and answered. Signals queue up and are checked in batches, so that thousands of forged ones cost
 * only a few activities and never block an abort.
 */
import { ApplicationFailure, CancellationScope, condition } from '@temporalio/workflow';
import type { Message } from '../../src/authority/index.js';
import { type CheckedMessage, isOverride, LONGEST_TOKEN, type MessageAnswer } from '../../src/model/access.js';
import { failureOf } from '../../src/model/rollout/failure.js';
import { nameIn } from '../../src/model/rollout/gate.js';
import { clean } from '../../src/model/text.js';
import type { MessageVerb } from '../../src/model/words.js';
import { core } from '../calls.js';
import { openGate } from './gate.js';
import type { Run } from './run.js';

/** Most signals that one activity checks, */
const BATCH = 400;
/** and most characters of their tokens: below the limit of 2 MB for a payload. */
const BATCH_SIZE = 1_600_000;

const UNCHECKED = 'it could not be checked';

type Sayable = MessageVerb | 'supersede';

export class Checks {
  private draining = false;
  /** Signals that wait to be checked. A run does not continue as new before there are none. */
  private waiting: Message[] = [];
  /** Of the queued signals. */
  private readonly tokens = new Set<unknown>();

  /** `renewing`: this run continues another one and does not have its own grants yet. */
  constructor(
    private readonly run: Run,
    private isRenewing: boolean,
  ) {}

  get renewing(): boolean {
    return this.isRenewing;
  }

  /** This run has its grants. */
  renewed(): void {
    this.isRenewing = false;
  }

  /** Nothing waits to be checked. */
  get idle(): boolean {
    return this.waiting.length === 0;
  }

  /** The policy of this run is known, and the run has its grants. */
  get ready(): boolean {
    return this.run.state.access !== null && !this.isRenewing;
  }

  /** Whether a verb must be signed. Asked only once `ready`. */
  needs(verb: Sayable, payload: Record<string, unknown> = {}): boolean {
    const { access } = this.run.state;
    if (access === null || access.policy === null) return false;
    return (
      verb === 'supersede' || !access.open.includes(verb) || (isOverride(payload) && !access.open.includes('override'))
    );
  }

  /** Checks one message now. Errors: SLUICE_ACCESS with the reason, which is also recorded. */
  async one(verb: MessageVerb, payload: Record<string, unknown>): Promise<CheckedMessage> {
    const [answer] = await this.ask([messageOf(verb, payload)]);
    if (answer?.ok === true) return answer;
    const { by, why } = answer ?? { by: 'someone', why: UNCHECKED };
    this.run.journal.refusal(verb, by, why);
    throw ApplicationFailure.nonRetryable(`${verb} is refused: ${why}`, 'SLUICE_ACCESS');
  }

  /** Queues a signal; `take` is called with those that are accepted. */
  line(verb: Sayable, payload: Record<string, unknown>, take: (message: CheckedMessage) => void): void {
    const { journal } = this.run;
    const message = messageOf(verb, payload);
    if (typeof message.token !== 'string') journal.refusal(verb, message.by, unsigned(verb));
    else if (message.token.length > LONGEST_TOKEN) journal.refusal(verb, message.by, 'its token is too long');
    else if (this.tokens.has(message.token)) journal.refusal(verb, message.by, 'it was sent twice');
    else {
      this.waiting.push(message);
      this.tokens.add(message.token);
    }
    this.goOn(take);
  }

  /** Checks what waits, until nothing does. A cancel of the workflow does not stop it. */
  private goOn(take: (message: CheckedMessage) => void): void {
    if (!this.draining) void CancellationScope.nonCancellable(() => this.drain(take));
  }

  private async drain(take: (message: CheckedMessage) => void): Promise<void> {
    this.draining = true;
    const { journal } = this.run;
    try {
      await condition(() => this.ready);
      while (this.waiting.length > 0) {
        // An abort outranks everything, here too.
        this.waiting.sort((a, b) => Number(b.verb === 'abort') - Number(a.verb === 'abort'));
        const batch = fitting(this.waiting);
        const answers = await this.ask(batch);
        const done = new Set(batch);
        this.waiting = this.waiting.filter((each) => !done.has(each));
        for (const { token } of batch) this.tokens.delete(token);
        for (const [at, { verb, by }] of batch.entries()) {
          const answer = answers[at] ?? { ok: false, by, why: UNCHECKED };
          if (answer.ok) take(answer);
          else journal.refusal(verb, answer.by, answer.why);
        }
      }
    } finally {
      this.draining = false;
    }
  }

  /**
   * Records an accepted statement so that it counts only once. Returns false if it was already accepted while it was being
   * checked.
   */
  used({ id, until, receipt }: CheckedMessage): boolean {
    const { state } = this.run;
    if (state.used.some((each) => each.id === id)) return false;
    state.used = [...state.used.filter((each) => each.until > Date.now() - 120_000), { id, until }];
    if (receipt !== null) state.receipts = [...state.receipts, receipt];
    return true;
  }

  private async ask(messages: Message[]): Promise<MessageAnswer[]> {
    await condition(() => this.ready);
    const { state } = this.run;
    const used = state.used.map(({ id }) => id);
    try {
      const answers = await core.decide({ grant: state.grant, messages, gate: openGate(state), used });
      // Someone else may have answered instead of a worker, with anything.
      return messages.map((message, at) => sane(message, Array.isArray(answers) ? answers[at] : undefined));
    } catch (error) {
      const { message } = failureOf(error);
      return messages.map(({ verb, by }) => ({ ok: false, verb, by, why: `it could not be checked: ${message}` }));
    }
  }
}

/** The answer to this message, or that there is none. */
function sane({ verb, by }: Message, answer: MessageAnswer | null | undefined): MessageAnswer {
  if (answer?.verb === verb && typeof answer.by === 'string') {
    if (!answer.ok) return { ok: false, verb, by: answer.by, why: clean(answer.why) };
    if (typeof answer.id === 'string' && typeof answer.until === 'number') return answer;
  }
  return { ok: false, verb, by, why: UNCHECKED };
}

/** As many of the first as one activity can check. */
export function fitting(line: Message[]): Message[] {
  let size = 0;
  const end = line.findIndex(({ token }, at) => {
    size += String(token).length;
    return at === BATCH || size > BATCH_SIZE;
  });
  return end === -1 ? line.slice() : line.slice(0, Math.max(1, end));
}

function messageOf(verb: Sayable, payload: Record<string, unknown>): Message {
  return { verb, by: nameIn(payload), token: payload.token };
}

/** What someone without a key sees, such as in the Temporal UI. */
export function unsigned(verb: Sayable): string {
  return `${verb} is not signed, and there is a policy; make a key with \`sluice key\`, have it added to the policy and send it again, or use --login`;
}
