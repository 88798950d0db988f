import { Access } from '../../src/authority/index.js';
import type { AccessRecord } from '../../src/model/access.js';

/** A worker without a policy and without a key: everything is open. */
export const OPEN = new Access({ policy: null, keys: [] });

/** What `parse` records then. */
export const OPEN_RECORD: AccessRecord = { policy: null, starter: null, open: [], grant: null };

/** What `prepare` adds then. */
export const UNGRANTED = { digest: 'a plan', approvers: {}, grant: null };
