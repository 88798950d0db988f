export type { TrafficCounts, VersionTraffic, Write } from './logs.js';
export type { FaultRule, Faults, FiredFault } from './microburst.js';
export { type AwsOptions, type EmulatedAws, startAws } from './start.js';
