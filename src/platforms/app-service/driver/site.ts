/** The site of a target, as Azure has it. */
import type { Site } from '@azure/arm-appservice';
import { SluiceError } from '../../../model/errors.js';
import type { AppServiceTarget } from '../../../model/spec.js';

/** Production or a slot: where it is, as ARM says. */
export interface Place {
  /** Null: production. */
  slot: string | null;
  /** For people: `checkout`, `checkout/staging`. */
  name: string;
  host: string;
  /** Kudu's host. */
  scm: string;
  running: boolean;
}

/** Hosts are cut and carry random letters, so they are read and never built ("Set up staging environments"). */
export function placeOf(target: AppServiceTarget, slot: string | null, site: Site): Place {
  const name = slot === null ? target.site : `${target.site}/${slot}`;
  const scm = site.hostNameSslStates?.find(({ hostType }) => hostType === 'Repository')?.name;
  if (site.defaultHostName === undefined || scm === undefined) {
    throw new SluiceError(
      'SLUICE_PROVIDER',
      `ARM names no host for ${name} (defaultHostName, or the one of type Repository)`,
    );
  }
  return { slot, name, host: site.defaultHostName, scm, running: site.state === 'Running' };
}
