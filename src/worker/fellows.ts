/** Checks whether the other workers of the namespace use this one's policy, and warns in the log if one does not. */
import type { Client } from '@temporalio/client';
import { otherPolicies } from '../model/identity.js';
import { TASK_QUEUE } from '../model/ids.js';
import { livingIdentities } from '../temporal/living-workers.js';

/** Between two looks, in ms. */
const LOOK_EVERY = 10_000;

/** The living workers with another policy; empty if the server does not say. A list of workers only warns. */
export async function fellowsWithOtherPolicy(client: Client, policy: string | null) {
  const identities = await livingIdentities(client, TASK_QUEUE, 'workflow').catch(() => []);
  return otherPolicies(identities, policy);
}

/** Checks until it is stopped. `warn` gets each change once. */
export function watchFellows(
  client: Client,
  policy: string | null,
  warn: (text: string) => void,
  every = LOOK_EVERY,
): { stop(): Promise<void> } {
  let said = '';
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    const others = await fellowsWithOtherPolicy(client, policy);
    const now = others.map(({ policy: name, worker }) => `${name} (${worker})`).join(', ');
    if (now !== said && now !== '' && !stopped) {
      warn(
        `workers of this namespace use different policies: this one uses ${policy ?? 'none'}, others use ${now}. One may allow what another refuses; give all of them the same SLUICE_POLICY`,
      );
    }
    said = now;
  };
  const run = (): Promise<void> =>
    look().finally(() => {
      if (stopped) return;
      timer = setTimeout(() => {
        looking = run();
      }, every).unref();
    });
  let looking = run();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await looking;
    },
  };
}
