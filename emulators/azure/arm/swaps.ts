/** Swaps, and the long operations that are looked at until they end. */
import { type Answer, type Call, empty, json } from '../../http.js';
import { busy, done, notFound } from '../answers.js';
import type { Azure } from '../azure.js';
import { type Slot, slotNamed } from '../model.js';
import { idOf } from '../store.js';
import { prepare, refusedSwap, unprepare } from '../swap.js';
import type { Request } from './request.js';

export async function applySlotConfig({ azure, site, slot, body }: Request): Promise<Answer> {
  const refused = refusedSwap(site, slot, String(body.targetSlot ?? ''), 'prepare');
  if (refused !== null) return refused;
  prepare(site, slot);
  site.prepared = slot.name;
  azure.store.save();
  await azure.restart(site, slot);
  return empty();
}

/** Of the slot or of production: both end what is prepared. */
export function resetSlotConfig({ azure, site }: Request): Answer {
  if (site.operation !== null) return busy();
  const slot = site.slots.find(({ before }) => before !== null);
  if (slot !== undefined) unprepare(site, slot);
  site.prepared = null;
  azure.store.save();
  if (slot !== undefined) void azure.restart(site, slot);
  return empty();
}

/** Accepted at once; the address to look at answers 202 until it is done, then the result. */
export function swapSlot({ azure, site, slot, body, call }: Request): Answer {
  if (site.operation !== null) return busy();
  const target = String(body.targetSlot ?? '');
  // `swapSlotWithProduction` names the slot as the target, and is the same swap.
  const [source, to] = slot.name === null ? [slotNamed(site, target), 'production'] : [slot, target];
  const refused = refusedSwap(site, source, to, 'swap');
  if (refused !== null) return refused;
  const id = azure.startSwap(site, source as Slot);
  return accepted(azure, `${idOf(azure.store, site, source)}/operationresults/${id}`, call);
}

export function operation(azure: Azure, id: string, call: Call): Answer {
  const { operations } = azure.store.data;
  const result = operations[id];
  if (result === undefined) return notFound(`operationresults/${id}`);
  return result === null ? accepted(azure, call.path, call) : json(result.status, result.body);
}

function accepted(azure: Azure, at: string, call: Call): Answer {
  const query = at.includes('?') ? '' : `?${new URL(call.path, 'https://127.0.0.1').searchParams.toString()}`;
  const after = azure.retryAfterSeconds;
  const headers = {
    location: `${azure.endpoint}${at}${query}`,
    ...(after === 0 ? {} : { 'retry-after': String(after) }),
  };
  return empty(202, headers);
}

/** "Deployed" is not "running": this tells the second, on Linux ("Web Apps - Get Production Site Deployment Status"). */
export function deploymentStatus(azure: Azure, slot: Slot, id: string, call: Call): Answer {
  const found = slot.content.deployments.find((one) => one.id === id);
  if (found === undefined) return notFound(`deploymentStatus/${id}`);
  if (found.runtime === 'RuntimeStarting') return accepted(azure, call.path, call);
  const worked = found.runtime === 'RuntimeSuccessful';
  return done({
    id,
    name: id,
    properties: {
      deploymentId: id,
      status: found.runtime,
      numberOfInstancesInProgress: 0,
      numberOfInstancesSuccessful: worked ? slot.instances : 0,
      numberOfInstancesFailed: worked ? 0 : slot.instances,
      errors: worked
        ? []
        : [{ code: 'ContainerExited', message: found.text || 'The application did not start: see its log.' }],
    },
  });
}
