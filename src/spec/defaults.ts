/** The defaults of rollout.yaml. Those of a platform's configuration are in its kit, and a metric source's own here. */
import { DEFAULT_PLATFORM } from '../model/target.js';
import { kitOf } from '../platforms/registry.js';

/**
 * As a person would write them, each with its reason; a strategy's own are in its file in src/strategies. The published JSON
 * Schema is made with this list, and a test compares its plain values with the annotated example.
 */
export const DEFAULTS = {
  target: {
    /** Where most functions run. */
    platform: DEFAULT_PLATFORM,
  },

  strategy: {
    /** The safest of the four: few users meet a bad release before it is seen. */
    type: 'canary',
  },
  approval: {
    /** Someone in another time zone gets a working day to answer. */
    within: '1d',
    /** A forgotten approval must not leave a target split for ever. */
    onTimeout: 'rollback',
    /** Most teams have one person on call. */
    people: 1,
    /** A team of one must be able to release. */
    notStarter: false,
    /** Whoever looks can say why, and need not. */
    comment: false,
    /** As for a hold. */
    remindEvery: '1h',
  },

  /** Calls the candidate with an empty event, so that a release that cannot even start never gets a user. */
  probes: [{ name: 'default', invoke: { payload: {} } }],
  probe: {
    /** What an HTTP probe without expectations of its own must at least see. */
    httpStatus: 200,
    method: 'GET',
    /** Longer than a cold start of most runtimes, shorter than the patience of a user. */
    latency: '3s',
    /** Sees a failing release within seconds and costs 86,400 calls a day at most. */
    every: '1s',
    /** A probe calls the function for real; only its author knows what that does. */
    safe: false,
    /** Once may be luck. */
    smoke: 3,
  },
  /** What the platform counts of the users' own requests without any set-up. */
  metrics: kitOf(DEFAULT_PLATFORM).defaults.metrics,
  metric: {
    /** A source is asked only when a stretch is closed, so this finds it soon and costs nothing meanwhile. */
    every: '5s',
    /** Few calls, and a bad release is seen within seconds. */
    window: '5s',
    /** Scrapes and log lines of the last seconds have arrived by then. */
    delay: '5s',
    /** Lambda's numbers of a minute are complete about a minute after it. */
    cloudwatchDelay: '1m',
    /** Azure promises no time; a minute more than CloudWatch's two. Not measured. */
    azureMonitorDelay: '3m',
    /** What is measured decides, unless the spec only tries it out. */
    dryRun: false,
    /** Where Lambda publishes. */
    namespace: 'AWS/Lambda',
  },
  /** Most functions that need a rollout answer someone who waits. */
  invocation: 'sync',
  /** Nobody's alarms are known. */
  alarms: [] as never[],
  judge: {
    /** One false alarm in a hundred rollouts, whatever the number of looks. */
    alpha: '1%',
    /** Below this, one error is 5 % and more: no share means anything. */
    minRequests: 20,
    /** One error is an accident. */
    minErrors: 2,
    /** One in twenty, per stage: a bad release has to pass every stage. */
    beta: '5%',
    /** A shared outage at 100 % looks like the release's fault; half the traffic back tells which it is. */
    probeBack: true,
    /** Rolling back is the safe answer, and it needs nobody. */
    onUnhealthy: 'rollback',
    /** Nothing unmeasured passes, and nothing unproven is thrown away: a person looks. */
    onUndecided: 'hold',
    /** As above. */
    onNoData: 'hold',
    /** A hold nobody answers within a day rolls back. */
    maxHold: '1d',
    /** Often enough to be noticed, seldom enough to be read. */
    remindEvery: '1h',
  },

  /** Someone else's rollout is never disturbed by accident. */
  onNewRelease: 'reject',
  /** The day after is when most bad releases have been noticed. */
  rollbackWindow: '24h',
  /** The last work week of daily releases. */
  retain: 5,
  /** Nobody is notified by default. */
  notify: [] as never[],
  deadlines: {
    /** A worker that restarts is back by then. */
    worker: '2m',
    /** Uploading, publishing and becoming active takes seconds, a minute for images and networks. */
    deploy: '10m',
    /** Provisioned concurrency takes a few minutes for hundreds of instances. */
    warm: '15m',
    /** One call; this leaves room for throttling. */
    shift: '2m',
    /** `smoke` calls of each probe, slow ones too. */
    probe: '2m',
    /** A pause nobody ends within a day rolls back. */
    pause: '1d',
    /** After a minute of failing to roll back, a person should know. */
    stuckAfter: '1m',
  },
  /** A rollout that nothing watches is a mistake unless the spec says otherwise. */
  allowUnjudged: false,
  /** What changes production before its rollout begins is refused. */
  allowBypass: [] as never[],
} as const;
