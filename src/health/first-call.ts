/**
 * How long our own first probe call of a release may take, in ms, and be slow without counting: an instance starts, and loads
 * its framework and its model. Lambda allows ten seconds for that before it starts again within the call itself, so a release
 * that answers at all has answered by then. Later calls have the probe's own `latency`, and so do users' calls from the first
 * on.
 */
export const FIRST_CALL = 30_000;
