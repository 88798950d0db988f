/** What a rollout.yaml may contain for a target of each platform; the parser uses it. */
import type { PlatformName } from '../model/target.js';
import { appServiceSpec } from './app-service/spec.js';
import { lambdaSpec } from './lambda/spec.js';
import type { SpecRules } from './spec-rules.js';

export type { SpecRules } from './spec-rules.js';

export const SPECS = {
  lambda: lambdaSpec,
  'app-service': appServiceSpec,
} satisfies { readonly [P in PlatformName]: SpecRules<P> };
