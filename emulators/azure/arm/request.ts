/** What management requests are made of. */
import type { Call } from '../../http.js';
import type { Azure } from '../azure.js';
import type { Site, Slot } from '../model.js';

/** One request about a site or a slot that exists. */
export interface Request {
  azure: Azure;
  site: Site;
  slot: Slot;
  /** `properties` of the body, and the body. */
  properties: Record<string, unknown>;
  body: Record<string, unknown>;
  call: Call;
}

/** Whom a path names; `slotName` null: production. */
export interface Named {
  resourceGroup: string;
  name: string;
  slotName: string | null;
}
