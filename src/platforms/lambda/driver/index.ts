/** The driver of AWS Lambda, and the platform of one served account. */
import { SluiceError } from '../../../model/errors.js';
import type { LambdaTarget, Spec } from '../../../model/spec.js';
import { targetName } from '../../../model/target.js';
import type { Artifacts } from '../../../store/index.js';
import { reachOf } from '../../../strategies/registry.js';
import type { CallContext, Platform, PlatformDriver, Served } from '../../port.js';
import type { Budget } from '../../shared/budget.js';
import { whole } from '../../shared/splits.js';
import { LambdaSources } from '../sources/index.js';
import { fencedWrite, heedMark, readAlias, trafficOf } from './alias.js';
import { ensureCapacity } from './capacity.js';
import { awsClients, type Clients, type LambdaDriverOptions, onLambda, type Session } from './client.js';
import { readConfiguration } from './configuration.js';
import { environmentAlias, placeIdle, readEnvironments } from './environments.js';
import { inspect } from './inspect.js';
import { invoke } from './invoke.js';
import { errors } from './logs.js';
import { move, planMove } from './moving/index.js';
import { publishPinned } from './pinned.js';
import { publish } from './publish.js';
import { keepLatest } from './put-back.js';
import { restore } from './restore.js';
import { retire } from './retire.js';
import { findSplits } from './sweep.js';

export {
  type AwsClientOptions,
  awsClientOptions,
  awsClients,
  type Clients,
  type LambdaDriverOptions,
} from './client.js';
export { toSluiceError as awsError } from './errors.js';

export interface LambdaPlatformOptions {
  /** The account and region; `roleArn` is for targets that name none. */
  served: Served;
  budget: Budget;
  artifacts: Artifacts;
}

/** AWS Lambda, with one set of clients for each role. */
export function createLambdaPlatform({ served, budget, artifacts }: LambdaPlatformOptions): Platform {
  const byRole = new Map<string, Clients>();
  const clients = (roleArn = served.roleArn): Clients => {
    const key = roleArn ?? '';
    const known = byRole.get(key) ?? awsClients(served.region, roleArn);
    byRole.set(key, known);
    return known;
  };
  const driver = createLambdaDriver({ clients: (target) => clients(target.roleArn), budget, artifacts });
  return {
    driverFor: () => driver,
    sweep(ctx, of) {
      const target: LambdaTarget = { platform: 'lambda', function: '(all)', alias: '(all)', ...of };
      return findSplits({ ctx, target, clients: clients(), budget, seenWithoutPolicy: new Map() });
    },
  };
}

/** The driver of AWS Lambda: a target is a function's alias, a release a published version, an address `function:version`. */
export function createLambdaDriver(options: LambdaDriverOptions): PlatformDriver {
  const seenWithoutPolicy: Session['seenWithoutPolicy'] = new Map();
  const open = (ctx: CallContext, spec: Spec): Session => {
    const target = onLambda(spec.target);
    return { ctx, target, clients: options.clients(target), budget: options.budget, seenWithoutPolicy };
  };
  const addresses = new Addresses();
  const sources = new LambdaSources(options);

  return {
    inspect: (ctx, spec) => inspect(open(ctx, spec), options.artifacts, spec),

    traffic: async (ctx, spec) => trafficOf(await readAlias(open(ctx, spec))),

    callers: (ctx, args) => planMove(open(ctx, args.spec), args),

    moveCallers: (ctx, args) => move(open(ctx, args.spec), args),

    keep: (ctx, { spec, before, mark }) => keepLatest(open(ctx, spec), { before, mark }),

    deploy: async (ctx, { spec, before, mark, into, adopted }) => {
      const session = open(ctx, spec);
      await heedMark(session);
      const release =
        'latest' in spec.release
          ? await publishPinned(session, { before, mark })
          : await publish(session, options.artifacts, { spec, before, mark, adopted });
      const { stable } = before.split;
      if (into !== 'idle') return { release, environments: null };
      // Nothing to release leaves the environments alone.
      if (release.version === stable) return { release, environments: await readEnvironments(session, stable) };
      return { release, environments: await placeIdle(session, { before, candidate: release.version, mark }) };
    },

    warm: async (ctx, { spec, release }) => {
      const count = spec.configuration.provisionedConcurrency ?? 0;
      if (count === 0) return;
      const session = open(ctx, spec);
      await heedMark(session);
      await ensureCapacity(session, release.version, count);
    },

    shift: (ctx, { spec, stable, candidate, weight, fence }) =>
      fencedWrite(open(ctx, spec), { stable, candidate, weight }, fence),

    promote: (ctx, { spec, candidate, fence }) =>
      fencedWrite(open(ctx, spec), { ...whole(candidate), stable: candidate }, fence),

    restore: (ctx, args) => restore(open(ctx, args.spec), args),

    retire: async (ctx, args) => {
      const session = open(ctx, args.spec);
      await heedMark(session);
      return retire(session, args);
    },

    invoke: async (ctx, { spec, version, payload, timeoutMs }) => {
      const session = open(ctx, spec);
      const qualifier = await addresses.of(session, spec, version);
      const answer = await invoke(session, { qualifier, payload, timeoutMs });
      if (answer.executedVersion !== null && answer.executedVersion !== version) addresses.forget(session, version);
      return answer;
    },

    address: async (_ctx, { spec }) => {
      throw new SluiceError(
        'SLUICE_SPEC',
        `${targetName(spec.target)} is on Lambda, where a version has no host; probe it by invoke`,
      );
    },

    source: (metric, of) => sources.of(metric, of),

    alarms: (kind, spec) => sources.alarms(kind, spec),

    values: async (ctx, { spec, version }) => {
      const found = await readConfiguration(open(ctx, spec), version);
      return Object.values(found?.Environment?.Variables ?? {});
    },

    errors: async (ctx, { spec, version, from }) => {
      const session = open(ctx, spec);
      const group = await readConfiguration(session, version).then(
        (found) => found?.LoggingConfig?.LogGroup,
        (error: unknown) => {
          if (error instanceof SluiceError) return undefined;
          throw error;
        },
      );
      return errors(session, { version, from, group: group ?? `/aws/lambda/${session.target.function}` });
    },
  };
}

/** Longest a version's address is remembered, in ms; environments change hands only between rollouts. */
const REMEMBERED = 30_000;

/** The address of exactly one release: its environment's alias in blue-green, its version number otherwise. */
class Addresses {
  private readonly known = new Map<string, { qualifier: string; at: number }>();

  async of(session: Session, spec: Spec, version: string): Promise<string> {
    if (reachOf(spec) !== 'idle') return version;
    const key = this.key(session, version);
    const known = this.known.get(key);
    if (known !== undefined && Date.now() - known.at < REMEMBERED) return known.qualifier;
    const environments = await readEnvironments(session, null);
    const side = environments?.blue === version ? 'blue' : environments?.green === version ? 'green' : null;
    const qualifier = side === null ? version : environmentAlias(session.target.alias, side);
    this.known.set(key, { qualifier, at: Date.now() });
    return qualifier;
  }

  forget(session: Session, version: string): void {
    this.known.delete(this.key(session, version));
  }

  private key({ target }: Session, version: string): string {
    // Roles of one platform may lead into different accounts.
    return `${target.roleArn ?? ''}/${target.region}/${target.function}:${target.alias}/${version}`;
  }
}
