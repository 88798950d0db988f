/** Variables of the worker's own environment, under one prefix. */
import { SluiceError } from '../../model/errors.js';
import { formatReference } from '../../model/secrets.js';
import { missing, type SecretStore } from '../store.js';

const PREFIX = 'SLUICE_SECRET_';

/** `SLUICE_SECRET_ENV_PREFIX` begins the names that may be read: the worker's other variables are no business of a spec's. */
export function envStore(env: NodeJS.ProcessEnv): SecretStore {
  const prefix = env.SLUICE_SECRET_ENV_PREFIX ?? PREFIX;
  return {
    read: async (reference) => {
      const { name } = reference;
      // An empty prefix would open them all.
      if (prefix === '' || !name.startsWith(prefix)) {
        throw new SluiceError(
          'SLUICE_SECRET',
          `${formatReference(reference)}: only variables that begin with ${prefix === '' ? PREFIX : prefix} are read (SLUICE_SECRET_ENV_PREFIX, where the worker runs)`,
        );
      }
      const value = env[name];
      if (value === undefined)
        throw missing(reference, `the worker has no variable ${name}`, 'set it and restart the worker');
      return { value, version: null };
    },
  };
}
