/** What was read of a target on App Service before a rollout; the checks use it. */
import type { AppServicePlan, FunctionEnvelope, SiteConfigResource } from '@azure/arm-appservice';
import type { Settings } from './settings.js';
import type { State } from './state.js';

/** What was read of the target, for the checks. */
export interface Observed {
  state: State;
  plan: AppServicePlan | null;
  settings: { production: Settings; slot: Settings };
  sticky: string[];
  /** The slot's configuration. */
  slotConfig: SiteConfigResource | null;
  /** Functions of a function app; empty for others. */
  functions: FunctionEnvelope[];
  /** Continuous WebJobs in production and the slot; empty where there is no slot, and for function apps. */
  webJobs: string[];
}
