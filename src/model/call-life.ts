/**
 * The longest life of a provider call, in ms: after that its worker has given it up, and the provider has accepted it or
 * never will. A rolled-back first deployment is watched for this long after the last attempt to create it.
 */
export const CALL_LIFE = 60_000;
