/** A swap, step by step as the platform does it ("Set up staging environments", what happens during a swap). */
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer } from '../http.js';
import { webError } from './answers.js';
import type { Faults } from './faults.js';
import { type Result, type Settings, type Site, type Slot, slotNamed } from './model.js';
import { isEmpty, type Runtime } from './runtime.js';
import { hostOf, type Store } from './store.js';

export interface WarmUp {
  /** Pings of the slot before the swap gives up. */
  tries: number;
  /** Milliseconds between two. */
  everyMs: number;
  /** Milliseconds one may take. */
  timeoutMs: number;
}

/** "90 seconds a request, five tries". */
export const WARM_UP: WarmUp = { tries: 5, everyMs: 1_000, timeoutMs: 90_000 };

/** Parts of `config/web` that belong to the content; scale, Always On and the routing rules stay. */
const SWAPPED = ['linuxFxVersion', 'appCommandLine', 'nodeVersion', 'healthCheckPath'];

export interface SwapParts {
  store: Store;
  runtime: Runtime;
  faults: Faults;
  warmUp: WarmUp;
}

/** Production's sticky settings on the slot: the first phase. The caller saves. */
export function prepare(site: Site, slot: Slot): void {
  const sticky = (name: string) => isSticky(site, name);
  slot.before = slot.settings;
  slot.settings = { ...without(slot.settings, sticky), ...only(site.production.settings, sticky) };
}

/** Takes the first phase back. The caller saves. */
export function unprepare(site: Site, slot: Slot): void {
  if (slot.before !== null) slot.settings = slot.before;
  slot.before = null;
  if (site.prepared === slot.name) site.prepared = null;
}

/** Does, or goes on with, the operation that the site says is running; it ends with a result, and never rejects. */
export async function runSwap(parts: SwapParts, site: Site): Promise<void> {
  const { store, runtime } = parts;
  const { operation } = site;
  const slot = operation === null ? undefined : slotNamed(site, operation.slot);
  if (operation === null || slot === undefined) return;
  if (operation.phase === 'applying') {
    const failed = await applied(parts, site, slot);
    if (failed !== null) return finish(store, site, failed);
    exchange(site, slot);
    operation.phase = 'settling';
    site.swapped = {
      timestampUtc: new Date().toISOString(),
      sourceSlotName: slot.name ?? 'production',
      destinationSlotName: 'production',
    };
    store.save();
  }
  // What was production gets the slot's settings, and a restart with them.
  if (!isEmpty(store.home(slot.content)))
    await runtime.restart(slot.content.id, store.launch(site, slot)).catch(() => undefined);
  finish(store, site, { status: 200, body: {} });
}

function finish(store: Store, site: Site, result: Result): void {
  if (site.operation !== null) store.data.operations[site.operation.id] = result;
  site.operation = null;
  store.save();
}

/** Null: the slot runs with production's settings and is warm. A failure has taken the first phase back. */
async function applied(parts: SwapParts, site: Site, slot: Slot): Promise<Result | null> {
  const { store, runtime, faults } = parts;
  if (slot.before === null) {
    prepare(site, slot);
    store.save();
  }
  const fault = await faults.meetWork('Swap');
  if (fault !== null) {
    // The half of a swap that a failed one can leave (azure-cli#27820).
    site.prepared = slot.name;
    return { status: 400, body: { Code: 'BadRequest', Message: fault } };
  }
  // Without content the platform's own page answers.
  if (isEmpty(store.home(slot.content))) return null;
  try {
    await runtime.restart(slot.content.id, store.launch(site, slot));
    await warm(parts, site, slot);
    return null;
  } catch (error) {
    unprepare(site, slot);
    store.save();
    await runtime.restart(slot.content.id, store.launch(site, slot)).catch(() => undefined);
    return (error as Cold).result ?? couldNotStart(slot);
  }
}

class Cold extends Error {
  constructor(readonly result: Result) {
    super('the slot is not warm');
  }
}

/**
 * Pings of the slot until an answer counts. Every answer does unless WEBSITE_SWAP_WARMUP_PING_STATUSES lists the ones that do
 * ("App settings: deployment slots").
 */
async function warm({ store, runtime, warmUp }: SwapParts, site: Site, slot: Slot): Promise<void> {
  const path = slot.settings.WEBSITE_SWAP_WARMUP_PING_PATH ?? '/';
  const listed = slot.settings.WEBSITE_SWAP_WARMUP_PING_STATUSES?.split(',').map((status) => Number(status.trim()));
  const counts = (status: number) => (listed === undefined ? true : listed.includes(status));
  for (let tries = 0; tries < warmUp.tries; tries++) {
    if (tries > 0) await pause(warmUp.everyMs);
    const ping = {
      method: 'GET',
      path,
      headers: { host: hostOf(slot), 'user-agent': 'SiteWarmup' },
      body: Buffer.alloc(0),
    };
    const answer = await Promise.race([
      runtime.ask(slot.content.id, store.launch(site, slot), ping),
      pause(warmUp.timeoutMs, null, { ref: false }),
    ]);
    if (answer !== null && counts(answer.status)) return;
  }
  // azure-functions-host#8969
  throw new Cold({
    status: 417,
    body: {
      Code: 'ExpectationFailed',
      Message: `Cannot swap site slots for site '${site.name}' because the '${slot.name}' slot did not respond to http ping.`,
    },
  });
}

/** azure-pipelines-tasks#13003. */
function couldNotStart(slot: Slot): Result {
  return {
    status: 400,
    body: {
      Code: 'BadRequest',
      Message: `Cannot swap site slots because the worker process of slot '${slot.name}' could not be started.`,
    },
  };
}

/** Volumes change places, and with them the settings that are not sticky. Nothing else happens here: it is one write. */
function exchange(site: Site, slot: Slot): void {
  const { production } = site;
  const sticky = (name: string) => isSticky(site, name);
  const own = slot.before ?? slot.settings;
  const next = {
    production: slot.settings,
    slot: { ...without(production.settings, sticky), ...only(own, sticky) },
  };
  [production.settings, slot.settings] = [next.production, next.slot];
  [production.content, slot.content] = [slot.content, production.content];
  for (const name of SWAPPED) {
    [production.configuration[name], slot.configuration[name]] = [
      slot.configuration[name],
      production.configuration[name],
    ];
  }
  slot.before = null;
  site.prepared = null;
}

/** Settings that end so never change places. */
export function isSticky({ sticky }: Site, name: string): boolean {
  return sticky.includes(name) || name.endsWith('_EXTENSION_VERSION');
}

function only(settings: Settings, is: (name: string) => boolean): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => is(name)));
}

function without(settings: Settings, is: (name: string) => boolean): Settings {
  return only(settings, (name) => !is(name));
}

/** Why a swap, or its first phase, cannot begin; null: it can. */
export function refusedSwap(
  site: Site,
  slot: Slot | undefined,
  target: string,
  kind: 'swap' | 'prepare',
): Answer | null {
  if (slot === undefined || slot.name === null)
    return webError(404, 'NotFound', `Site '${site.name}' has no slot to swap with production.`);
  if (target !== 'production')
    return webError(400, 'BadRequest', `The emulated Azure swaps with production only, not with '${target}'.`);
  if (!slot.running || !site.production.running)
    return webError(400, 'BadRequest', 'Cannot swap site slots: both slots must be running.');
  if (site.prepared !== null && site.prepared !== slot.name)
    return webError(409, 'Conflict', `The configuration settings of '${site.prepared}' have been prepared for swap.`);
  // "Swap with preview can't be used when one of the slots has site authentication enabled."
  if (kind === 'prepare' && [site.production, slot].some(authenticates))
    return webError(400, 'BadRequest', 'Swap with preview cannot be used when site authentication is enabled.');
  return null;
}

function authenticates({ auth }: Slot): boolean {
  return (auth as { platform?: { enabled?: boolean } }).platform?.enabled === true;
}
