/**
 * The longest life of one call of a provider, in ms: its worker gives it up then, and the provider has taken it or never will. For so
 * long a first deployment that was taken back is looked at after the last attempt to make it.
 */
export const CALL_LIFE = 60_000;
