/** The types of watching a candidate: input, report and heartbeat. */
import type { Baseline, JudgeState, Verdict } from '../judge/types.js';
import type { SeriesPoint } from '../model/series.js';
import type { JudgeRules, Spec } from '../model/spec.js';
import type { Asked } from '../model/view.js';
import type { ErrorSample } from '../platforms/port.js';

/** One stretch of watching: as long as the candidate has this weight. */
export interface WatchInput {
  spec: Spec;
  stable: string | null;
  candidate: string;
  weight: number;
  /** When this weight began, in ms since the epoch: sources count from here. */
  from: number;
  /** What the judge knows so far, from earlier weights too. */
  state: JudgeState | null;
  /** The judge's settings at this stage. */
  rules: JudgeRules;
  /** What was known before the rollout. */
  before: HealthBefore;
  /** From when on it also ends once the candidate is shown to be no worse (ms since the epoch); null: never. */
  earliest: number | null;
  /** The rollout is held for want of evidence: it also ends once the verdict is healthy. */
  held: boolean;
  /** Our own requests that a source may still have to leave out, as the watcher before this one has named them. */
  own: HandedOn | null;
}

/** What one watcher tells the next of our own requests. */
export interface HandedOn {
  /** All of our requests since then are named, ms since the epoch. */
  since: number;
  /** Each by the end of its id, and when it was sent, ms since the epoch: the watcher after the next may still need it. */
  sent: [id: string, at: number][];
}

/** The state of health before the rollout, as `prepare` found it. */
export interface HealthBefore {
  /** By source: what it counted of the stable release before the rollout. */
  baselines: Record<string, Baseline>;
  /** Alarms that fired already: they do not stop this rollout until they have been quiet once. */
  firing: string[];
}

/** What the watcher returns: early when unhealthy or shown to be no worse, else when it is cancelled. */
export interface WatchReport {
  verdict: Verdict;
  state: JudgeState;
  /** Why the candidate's probes failed, most frequent first, three at most. */
  errors: ErrorSample[];
  /** The evidence over this stretch, thinned out. */
  series: SeriesPoint[];
  asked: Asked[];
  /** For the next watcher; missing where no source sees our own requests. */
  own?: HandedOn;
}

/** What the watcher's heartbeat carries: enough to go on after a crash, and to show live counts. */
export interface WatchHeartbeat {
  report: WatchReport;
  at: number;
  /** Whose first call by which probe has been made: a slow one counts from then on. */
  met: string[];
}

/** A probe's result, for a step that must pass before the candidate gets weight. */
export interface ProbeReport {
  passed: boolean;
  /** One line a probe. */
  lines: string[];
  /** Why not, in full, when not passed. */
  why?: string;
}
