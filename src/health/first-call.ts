/**
 * How long our own first call of a release by a probe may take, in ms, and be slow without counting: an instance starts, loads its
 * framework and its model. Lambda gives that ten seconds before it begins anew within the call itself; so a release that answers
 * at all has answered by then. Later calls go by the probe's own `latency`, and so do the calls of users from the first on.
 */
export const FIRST_CALL = 30_000;
