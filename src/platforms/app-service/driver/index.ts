/** The driver of Azure App Service, and the platform of one served subscription. */
import { SluiceError } from '../../../model/errors.js';
import type { AppServiceTarget, Spec, Target } from '../../../model/spec.js';
import { targetName } from '../../../model/target.js';
import type { Artifacts } from '../../../store/index.js';
import type { CallContext, Platform, PlatformDriver, Served } from '../../port.js';
import type { Budget } from '../../shared/budget.js';
import { readContext } from '../../shared/read-context.js';
import { sourceOf } from '../sources/index.js';
import { instancesMatch } from './capacity.js';
import { type AppServiceDriverOptions, azureClients, type Session, WAITS } from './client.js';
import { deploy } from './deploy.js';
import { headersFor } from './hosts.js';
import { inspect, readTraffic } from './inspect.js';
import { invoke } from './invoke.js';
import { errors } from './logs.js';
import { Places } from './places.js';
import { promote } from './promote.js';
import { readState } from './read.js';
import { restore } from './restore.js';
import { retire } from './retire.js';
import { settingValues } from './settings.js';
import { findSplits } from './sweep.js';
import { shift } from './traffic.js';

export { credentialOf } from '../../../cloud/azure-credentials.js';
export { azureClients } from './client.js';
export { toSluiceError as azureError } from './errors.js';

export interface AppServicePlatformOptions {
  /** The subscription and region. */
  served: Served;
  budget: Budget;
  artifacts: Artifacts;
}

/** Azure App Service, with the credential that the worker's environment names. */
export function createAppServicePlatform({ served, budget, artifacts }: AppServicePlatformOptions): Platform {
  const { account, region } = served;
  const clients = azureClients({ subscription: account, region });
  const driver = createAppServiceDriver({ clients, budget, artifacts });
  return {
    driverFor: () => driver,
    sweep(ctx, of) {
      const target: AppServiceTarget = { platform: 'app-service', site: '(all)', resourceGroup: '(all)', ...of };
      return findSplits({ ctx, target, clients, budget, waits: WAITS });
    },
  };
}

/**
 * The driver of Azure App Service: a target is a site's production slot, a release the package of an id, and the slot
 * beside production is where a release stands before it has all traffic.
 */
export function createAppServiceDriver(options: AppServiceDriverOptions): PlatformDriver {
  const { clients, budget, artifacts, waits = WAITS } = options;
  const open = (ctx: CallContext, target: Target): Session => ({
    ctx,
    target: siteIn(target),
    clients,
    budget,
    waits,
  });
  const places = new Places();
  /** Whatever moves releases makes where they were known to run unknown. */
  const moving = async <T>(session: Session, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } finally {
      places.forget(session);
    }
  };

  return {
    inspect: (ctx, spec) => inspect(open(ctx, spec.target), artifacts, spec),

    traffic: (ctx, spec) => readTraffic(open(ctx, spec.target)),

    callers: async (_ctx, { spec }) => noCallers(spec),

    moveCallers: async (_ctx, { spec }) => noCallers(spec),

    /** Nothing reaches a slot beside production's own rules. */
    keep: async (_ctx, { before }) => before,

    deploy: (ctx, args) => {
      const session = open(ctx, args.spec.target);
      return moving(session, () => deploy(session, artifacts, args));
    },

    warm: async (ctx, { spec, release }) => {
      const session = open(ctx, spec.target);
      const state = await readState(session);
      if (state?.slot?.release === release.version) await instancesMatch(session, state.production, state.slot);
    },

    shift: (ctx, { spec, ...args }) => {
      const session = open(ctx, spec.target);
      return moving(session, () => shift(session, args));
    },

    promote: (ctx, args) => {
      const session = open(ctx, args.spec.target);
      return moving(session, () => promote(session, args));
    },

    restore: (ctx, args) => {
      const session = open(ctx, args.spec.target);
      return moving(session, () => restore(session, args));
    },

    retire: (ctx, args) => retire(open(ctx, args.spec.target), args),

    invoke: async (ctx, { spec, version, payload, timeoutMs }) => {
      const session = open(ctx, spec.target);
      const place = await places.of(session, version);
      return invoke(session, { place, release: version, payload, timeoutMs });
    },

    address: async (ctx, { spec, version }) => {
      const place = await places.of(open(ctx, spec.target), version);
      return { host: place.host, headers: headersFor(place) };
    },

    source: (metric, of) =>
      sourceOf(metric, of, {
        // Sources live beside the watcher's own heartbeat.
        open: (signal) => open(readContext(signal, of.from), of.spec.target),
        placeOf: (session, release) => places.of(session, release),
      }),

    alarms: () => null,

    values: (ctx, { spec }) => settingValues(open(ctx, spec.target)),

    errors: (ctx, args) => errors(open(ctx, args.spec.target), args),
  };
}

function siteIn(target: Target): AppServiceTarget {
  if (target.platform === 'app-service') return target;
  throw new SluiceError('SLUICE_SPEC', `a target of ${target.platform} was passed to the driver of app-service`);
}

function noCallers({ target }: Spec): never {
  throw new SluiceError(
    'SLUICE_TARGET',
    `${targetName(target)} is on App Service, where callers cannot bypass the slot: there are no callers to move`,
  );
}
