/** What a verb needs to know of its target before it is sent: looked up once, however many ask. */
import type { GateView } from '../model/access.js';
import { SluiceError } from '../model/errors.js';
import { rolloutId } from '../model/ids.js';
import { NO_APPROVAL, wrongStage } from '../model/rollout/gate.js';
import type { MessageVerb } from '../model/words.js';
import type { Described } from '../temporal/described.js';
import type { Link } from './connect.js';
import { foreignWords, lookAt, mustBeRollout, under } from './look.js';
import type { AppEnvironment } from './types.js';

export class Sight {
  private found: Promise<Described | null> | undefined;
  private open: Promise<GateView | null> | undefined;

  constructor(
    private readonly link: Link,
    private readonly target: AppEnvironment,
  ) {}

  /**
   * A running foreign workflow with the id of the target's rollouts; null for a rollout, for none, and if the server does not
   * say.
   */
  async stranger(): Promise<string | null> {
    const seen = await this.seen().catch(() => null);
    return seen?.running === true ? foreignWords(seen) : null;
  }

  /** The last run of the target. Errors: SLUICE_NO_ROLLOUT, those of the server. */
  async run(): Promise<string> {
    return (await this.rollout()).run;
  }

  /** The open approval, exactly as published. Errors: SLUICE_VERB if none is open, or it is for another stage. */
  async gate(verb: MessageVerb, stage: string | undefined): Promise<GateView> {
    this.open ??= this.rollout().then(async (seen) => {
      const { view } = await lookAt(this.link, this.target, seen);
      return view.waitingFor?.gate ?? null;
    });
    const gate = await this.open;
    const { app, environment } = this.target;
    if (gate === null)
      throw new SluiceError('SLUICE_VERB', `${verb}: ${NO_APPROVAL} at ${rolloutId(app, environment)}`);
    const wrong = stage === undefined ? null : wrongStage(stage, gate);
    if (wrong !== null) throw new SluiceError('SLUICE_VERB', wrong);
    return gate;
  }

  private async rollout(): Promise<Described> {
    return mustBeRollout(this.link, this.target, await this.seen());
  }

  private seen(): Promise<Described | null> {
    this.found ??= under(this.link, this.target).catch((error: unknown) => {
      // Whoever asks next asks the server again.
      this.found = undefined;
      throw error;
    });
    return this.found;
  }
}
