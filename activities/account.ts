/** The activities of one account and region: cloud calls, watching, restoring. */
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { AccountAccess, Asking } from '../src/authority/index.js';
import type { EgressOf } from '../src/egress/index.js';
import { decidingSources, runSmoke, watch, worst } from '../src/health/index.js';
import type { WatchHeartbeat } from '../src/health/types.js';
import { judgeOf } from '../src/judge/index.js';
import { mark } from '../src/model/ids.js';
import type { Spec } from '../src/model/spec.js';
import type { CallContext, PlatformDriver } from '../src/platforms/port.js';
import { readContext } from '../src/platforms/shared/read-context.js';
import { recognize, withEnvironment } from '../src/secrets/environment.js';
import { scrubbed } from '../src/secrets/index.js';
import type { Artifacts } from '../src/store/index.js';
import { withFailures } from './failures.js';
import { inspectAndPlan, prepare, refuseIfFound } from './prepare.js';
import { takeBack } from './take-back.js';
import type { AccountActivities } from './types.js';

/** Between two signs of life while a call waits, in ms; well below the heartbeat timeout of 10 s. */
const ALIVE_EVERY = 2_000;

interface AccountOptions {
  /** The driver for a target's account, with its credentials. */
  driverFor: (spec: Spec) => PlatformDriver;
  /** What reaches the addresses and the secrets of a target's spec. */
  egressOf: EgressOf;
  artifacts: Artifacts;
  /** The worker's policy and its key. */
  access: AccountAccess;
  /** Asked where a run comes from; nothing is retired without it where the worker has a key. */
  client?: Client;
  /** Finds targets that a gone run left split. */
  sweep: (ctx: CallContext, args: { account: string; region: string }) => ReturnType<AccountActivities['sweep']>;
}

/** Runs a cloud call with cancellation, and with a heartbeat as long as it runs. */
async function calledBy<T>(access: AccountAccess, urgent: boolean, work: (ctx: CallContext) => Promise<T>): Promise<T> {
  const { cancellationSignal, heartbeat, info } = Context.current();
  const left: unknown = info.heartbeatDetails;
  // A heartbeat replaces the details of the one before, and an attempt may die before it has details of its own.
  let details = left;
  const beat = (next: unknown = details) => {
    details = next;
    heartbeat(scrubbed(details));
  };
  const since = Date.now();
  const alive = setInterval(() => beat(), ALIVE_EVERY);
  try {
    return await work({
      ...{ signal: cancellationSignal, heartbeat: beat, lastHeartbeat: () => left, urgent, since },
      heed: (mark) => access.heed(mark),
      heedful: access.heedful,
    });
  } finally {
    clearInterval(alive);
  }
}

/** An undo restores: its calls go first in the account's budget, as those of going back do. */
function restores({ strategy }: Spec): boolean {
  return strategy.type === 'undo';
}

export function accountActivities(options: AccountOptions): AccountActivities {
  const { driverFor, egressOf, artifacts, access } = options;
  const called = <T>(urgent: boolean, work: (ctx: CallContext) => Promise<T>) => calledBy(access, urgent, work);
  const from = (spec: Spec) => ({ artifacts, egress: egressOf(spec.target), own: egressOf(null), access });
  /** Before errors of these releases are read from the target. */
  const meet = (ctx: CallContext, spec: Spec, versions: string[]) => {
    const values = versions.map((version) => async () => driverFor(spec).values(ctx, { spec, version }));
    return recognize(spec, { secrets: egressOf(spec.target).secrets, values }, ctx.signal);
  };
  const activities: AccountActivities = {
    prepare: ({ spec, grant }) =>
      called(restores(spec), (ctx) => prepare(ctx, driverFor(spec), spec, { ...from(spec), grant })),
    inspect: ({ spec }) => called(false, (ctx) => inspectAndPlan(ctx, driverFor(spec), spec, from(spec))),
    keep: ({ spec, before, mark: by, grant }) =>
      called(false, async (ctx) => {
        const kept = await driverFor(spec).keep(ctx, { spec, before, mark: by });
        return { before: kept, grant: await access.grants.kept(grant, kept) };
      }),
    deploy: (args) =>
      called(restores(args.spec), async (ctx) => {
        // A release that exists already has its own environment.
        const filled =
          'version' in args.spec.release
            ? {}
            : await withEnvironment(args.spec, egressOf(args.spec.target).secrets, ctx.signal);
        const done = await driverFor(args.spec).deploy(ctx, { ...args, ...filled });
        const deployed = await access.grants.deployed(args.grant, done.release.version);
        return deployed === null ? done : { ...done, deployed };
      }),
    warm: (args) => called(restores(args.spec), (ctx) => driverFor(args.spec).warm(ctx, args)),
    shift: (args) => called(false, (ctx) => driverFor(args.spec).shift(ctx, args)),
    promote: (args) => called(restores(args.spec), (ctx) => driverFor(args.spec).promote(ctx, args)),
    restore: (args) => called(true, (ctx) => driverFor(args.spec).restore(ctx, args)),
    takeBack: async (record) => {
      await access.mayTakeBack(options.client, record);
      return called(true, (ctx) => takeBack(ctx, driverFor(record.spec), record, access.policed));
    },
    retire: async ({ spec, keep, ...record }) => {
      await access.mayRetire(options.client, { ...record, spec });
      return called(false, (ctx) => driverFor(spec).retire(ctx, { spec, keep }));
    },
    probe: ({ spec, version, probes, within }) =>
      called(false, async (ctx) => {
        const asked = spec.health.probes.filter((probe) => probes.includes(probe.name));
        await meet(ctx, spec, [version]);
        const egress = egressOf(spec.target);
        return runSmoke({ spec, version, probes: asked, within }, { driver: driverFor(spec), ctx, egress });
      }),
    watch: async (input) => {
      const { cancellationSignal, heartbeat, info } = Context.current();
      const last = info.heartbeatDetails as WatchHeartbeat | undefined;
      const egress = egressOf(input.spec.target);
      // A weight is watched from its first moment on; only its report waits until the releases' secrets are known.
      const versions = [input.candidate, ...(input.stable === null ? [] : [input.stable])];
      let known = false;
      const met = meet(readContext(cancellationSignal, Date.now()), input.spec, versions).finally(() => {
        known = true;
      });
      try {
        return await watch(input, {
          driver: driverFor(input.spec),
          signal: cancellationSignal,
          egress,
          heartbeat: (details) => heartbeat(known ? scrubbed(details) : last),
          ...(last === undefined ? {} : { lastHeartbeat: last }),
          now: () => Date.now(),
          judge: judgeOf({
            rules: input.rules,
            baselines: input.before.baselines,
            firing: input.before.firing,
            ...decidingSources(input.spec.health, input),
          }),
        });
      } finally {
        await met;
      }
    },
    errors: ({ spec, version, from, seen }) =>
      called(false, async (ctx) => {
        await meet(ctx, spec, [version]);
        return worst([...(await driverFor(spec).errors(ctx, { spec, version, from })), ...seen]);
      }),
    read: ({ spec }) => called(true, async (ctx) => ({ split: (await driverFor(spec).traffic(ctx, spec)).split })),
    adopt: ({ spec }) =>
      called(true, async (ctx) => {
        const { revision, split } = await driverFor(spec).traffic(ctx, spec);
        return { revision: revision ?? '', split };
      }),
    claim: ({ spec, run }) =>
      called(false, async (ctx) => {
        const driver = driverFor(spec);
        const { before, findings } = await driver.inspect(ctx, spec);
        refuseIfFound(findings);
        const written = await driver.restore(ctx, {
          spec,
          before,
          attempted: [],
          lastRevision: before.revision,
          mark: mark(spec.app, spec.environment, run, 'adopt', access.policed),
          force: false,
        });
        return { before: { ...before, revision: written.revision }, findings };
      }),
    callers: ({ spec, how }) => called(false, (ctx) => driverFor(spec).callers(ctx, { spec, how })),
    moveCallers: ({ spec, how, steps, run }) => {
      const by = mark(spec.app, spec.environment, run, 'adopt', access.policed);
      return called(false, (ctx) => driverFor(spec).moveCallers(ctx, { spec, how, steps, mark: by }));
    },
    sweep: (args) => called(false, (ctx) => options.sweep(ctx, args)),
  };
  return withFailures(withGrants(activities, access));
}

/** Those that ask for no grant: two have a proof of their own, one only reads. */
const FREE = new Set<keyof AccountActivities>(['retire', 'takeBack', 'sweep']);

/** The same activities, each only with a worker's grant for it. */
function withGrants(activities: AccountActivities, access: AccountAccess): AccountActivities {
  const { grants } = access;
  const guarded = Object.entries(activities).map(([name, activity]) => {
    if (FREE.has(name as keyof AccountActivities)) return [name, activity];
    const work = activity as (args: Asking) => Promise<unknown>;
    return [
      name,
      async (args: Asking) => {
        await grants.allow(name, args);
        // A worker without a policy does nothing for a rollout under one.
        access.heed(args.fence?.mark ?? args.mark ?? null);
        return work(args);
      },
    ];
  });
  return Object.fromEntries(guarded) as AccountActivities;
}
