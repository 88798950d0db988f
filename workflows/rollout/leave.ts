/** How the walk is left, and how a wait ends. */

/** Thrown to unwind the walk; the reason stands in the state. */
export class Leaving extends Error {}

/** Thrown when a person asked for another try of what is waiting. */
export class AskedAgain extends Error {}

/** Thrown when a person has the present weight baked again although its bake is over: the walk goes on from there. */
export class BakesAgain extends Error {
  constructor(readonly cursor: { stage: number; step: number }) {
    super();
  }
}

/** How a wait ended: somebody asked, the time is over, or what is waited in has changed and must be looked at again. */
export type Waited = 'asked' | 'elapsed' | 'again';

/** Reminders come twice as late each time, at most a day apart, in ms. */
export const LONGEST_REMINDER = 86_400_000;
