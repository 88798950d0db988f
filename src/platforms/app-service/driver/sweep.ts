/** Finds sites of the subscription that a gone rollout left split. */
import { parseMark } from '../../../model/ids.js';
import type { SweepFinding } from '../../port.js';
import { NO_SPLIT, say } from '../../shared/splits.js';
import { all, call, type Session } from './client.js';
import { readState } from './read.js';
import { splitOf } from './state.js';
import { MARK_TAG } from './tags.js';

/** All split sites of the subscription with our mark. Whether their rollouts still run, the caller knows. */
export async function findSplits(session: Session): Promise<SweepFinding[]> {
  const sites = await call(session, 'ListSites', (webApps, options) => all(webApps.list(options)));
  const found: SweepFinding[] = [];
  for (const { name, resourceGroup, tags } of sites) {
    const mark = parseMark(tags?.[MARK_TAG]);
    if (mark === null || name === undefined || resourceGroup === undefined) continue;
    const state = await readState({ ...session, target: { ...session.target, site: name, resourceGroup } });
    const split = state === null ? NO_SPLIT : splitOf(state);
    if (split.candidate === null) continue;
    found.push({
      target: name,
      app: mark.app,
      environment: mark.environment,
      run: mark.run,
      split: say(split),
      cure: `az webapp traffic-routing clear --name ${name} --resource-group ${resourceGroup}`,
    });
  }
  return found;
}
