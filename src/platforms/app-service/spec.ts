/** What a rollout.yaml may say for a target on Azure App Service. */
import { z } from 'zod';
import type { AppServiceTarget, Report, Spec } from '../../model/spec.js';
import { strict, whole } from '../../spec/schema/parts.js';
import { needsBoth, reachOf } from '../../strategies/registry.js';
import * as fields from '../fields.js';
import type { SpecRules } from '../spec-rules.js';
import { SUBSCRIPTION, WARM_UP } from './kit.js';
import { siteSettings } from './settings.js';

/** Names as Azure allows them ("Naming rules and restrictions for Azure resources", Microsoft.Web and Microsoft.Resources). */
const SITE = /^(?!-)[A-Za-z0-9-]{2,60}(?<!-)$/;
const SLOT = /^(?!production$)(?!-)[A-Za-z0-9-]{2,59}(?<!-)$/i;
const RESOURCE_GROUP = /^[\w.()-]{1,90}(?<!\.)$/;

const target = {
  platform: z.literal('app-service').describe('What the target runs on.'),
  site: z
    .string()
    .regex(SITE, 'expected the name of a site (not its host name)')
    .describe('The site whose production slot the users reach.'),
  resourceGroup: z
    .string()
    .regex(RESOURCE_GROUP, 'expected the name of a resource group')
    .describe('The resource group of the site.'),
  slot: z
    .string()
    .regex(SLOT, 'expected the name of a slot beside production, such as staging')
    .exactOptional()
    .describe('The slot that new releases go into. Without one only `direct` is possible.'),
  region: z
    .string()
    .regex(/^[a-z]+\d*$/, 'expected a region such as westeurope')
    .describe('The Azure region.'),
  account: z
    .string()
    .regex(SUBSCRIPTION, "expected the subscription's id, a GUID in lower case")
    .describe("The subscription's id."),
};

const path = () =>
  z
    .string()
    .regex(/^\/[^\s?#]*$/, 'expected a path such as /health')
    .max(1024, 'at most 1024 characters');

const configuration = {
  environment: fields.environment(),
  description: fields.description(),
  marker: path()
    .exactOptional()
    .describe("App Service: path whose answer holds the release's id, read back after each deployment and swap."),
  warmUp: strict({
    path: path().prefault(WARM_UP.path).describe('The path.'),
    statuses: z
      .array(whole(100, 599))
      .min(1, 'at least one status')
      .prefault([...WARM_UP.statuses])
      .describe('HTTP statuses of a release that is ready.'),
  })
    .exactOptional()
    .describe('App Service: the request that must succeed before a swap exchanges the slots.'),
  idle: z
    .enum(['keep', 'stop'])
    .exactOptional()
    .describe(
      'App Service: what happens to the slot with the replaced release after the rollback window (default: keep).',
    ),
};

function check(spec: Spec & { target: AppServiceTarget }, fault: Report, variables: Record<string, string>): void {
  if ('current' in spec.release && spec.configuration.environment === undefined) {
    fault(
      ['release', 'current'],
      'releases the live code with other app settings, and there are none (write them in configuration.environment)',
    );
  }
  for (const { path: below, message } of siteSettings(variables)) {
    fault(['configuration', 'environment', ...below], message);
  }
  if (spec.health.judge.probeBack && reachOf(spec) === 'atOnce') {
    fault(
      ['health', 'judge', 'probeBack'],
      'needs the stable release beside the candidate, and direct publishes over it on App Service (remove it)',
    );
  }
  if (spec.target.slot === undefined) checkWithoutSlot(spec, fault);
}

/** Without a slot the candidate runs nowhere before all users have it. */
function checkWithoutSlot(spec: Spec, fault: Report): void {
  const { strategy, health } = spec;
  if (needsBoth(spec)) {
    fault(
      ['strategy', 'type'],
      `is ${strategy.type}, which needs a slot beside production (name it: target.slot; without one use direct)`,
    );
  }
  for (const [i, probe] of health.probes.entries()) {
    if (probe.kind === 'http' && !probe.url?.includes('{host}')) continue;
    fault(
      ['health', 'probes', i],
      `probe "${probe.name}" calls the release before it has traffic, which needs a slot (set target.slot, or remove the probe)`,
    );
  }
}

export const appServiceSpec = { target, configuration, check } satisfies SpecRules<'app-service'>;
