/** Routing rules of production: which share of its clients a slot answers. */
import type { RampUpRule } from '@azure/arm-appservice';
import { call, type Session } from './client.js';
import type { Slot } from './state.js';

/** The platform's own auto ramp (`changeStep`) stays off: the plan steps the percentage. */
export function ruleFor(slot: Slot, weight: number): RampUpRule {
  return { name: slot.slot ?? '', actionHostName: slot.host, reroutePercentage: weight };
}

/** Replaces all rules. A PATCH with nothing else in it: the PUT beside it would replace the whole configuration. */
export async function setRules(session: Session, rampUpRules: RampUpRule[]): Promise<void> {
  const { resourceGroup, site } = session.target;
  await call(session, 'UpdateConfiguration', (webApps, options) =>
    webApps.updateConfiguration(resourceGroup, site, { experiments: { rampUpRules } }, options),
  );
}
