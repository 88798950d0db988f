/** What an activity needs to reach what a spec names: a guarded network, and secrets. */
import type { MayUse } from '../model/secrets.js';
import type { Target } from '../model/spec.js';
import { createNet, type Net } from '../net/index.js';
import { kitOf } from '../platforms/registry.js';
import { createSecrets, type Secrets } from '../secrets/index.js';

export interface Egress {
  net: Net;
  secrets: Secrets;
}

/** By the target, whose role reads its secrets; null for what is done without one (webhooks), with the worker's own. */
export type EgressOf = (target: Target | null) => Egress;

export interface EgressOptions {
  env: NodeJS.ProcessEnv;
  /** `SLUICE_ALLOW_ADDRESSES`. */
  allowAddresses: string;
  /** The account that is served: its region and role are those of its targets' secrets. */
  served?: { region: string; roleArn?: string };
  /** Everything is allowed unless given. */
  mayUse?: MayUse | undefined;
}

/** Errors: SLUICE_SETUP for invalid addresses. */
export function createEgress({ env, allowAddresses, served, mayUse }: EgressOptions): EgressOf {
  const net = createNet(allowAddresses);
  const own = env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1';
  const byRole = new Map<string, Egress>();
  return (target) => {
    const identity = target === null ? null : kitOf(target.platform).awsIdentity(target);
    const roleArn = identity === null ? undefined : (identity.roleArn ?? served?.roleArn);
    const region = identity === null ? own : (served?.region ?? identity.region);
    const key = `${region}/${roleArn ?? ''}`;
    const known = byRole.get(key) ?? { net, secrets: createSecrets({ env, region, roleArn, mayUse }) };
    byRole.set(key, known);
    return known;
  };
}
