import { writeDuration, writeShare } from './units.js';

/**
 * A complete spec in the form people write, from which the parser makes the same spec again. It is what makes parsing
 * idempotent, and what `adopt` prints. Takes any value: what is not as a spec has it is passed on for the parser to refuse.
 */
export function writeSpec(spec: Record<string, unknown>): Record<string, unknown> {
  const { specSchema: _, ...rest } = spec;
  return change(rest, {
    rollbackWindow: duration,
    deadlines: (deadlines) => eachValue(deadlines, duration),
    strategy: (strategy) =>
      change(strategy, {
        bake,
        testBake: duration,
        interval: bake,
        step: weight,
        approval,
        stages: list((stage) => change(stage, { weight, bake, approval, health: policy })),
      }),
    health: (health) =>
      change(health, {
        probes: list(probe),
        metrics: list(metric),
        alarms: list(alarm),
        policy,
      }),
  }) as Record<string, unknown>;
}

type Change = (value: unknown) => unknown;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object with the named members changed. */
function change(value: unknown, changes: Record<string, Change>): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const by = Object.hasOwn(changes, key) ? changes[key] : undefined;
      return [key, by === undefined || inner === undefined ? inner : by(inner)];
    }),
  );
}

function eachValue(value: unknown, by: Change): unknown {
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, by(inner)])) : value;
}

function list(by: Change): Change {
  return (value) => (Array.isArray(value) ? value.map(by) : value);
}

const duration: Change = (value) => (typeof value === 'number' ? writeDuration(value) : value);
const weight: Change = (value) => (typeof value === 'number' ? `${value}%` : value);
const share: Change = (value) => (typeof value === 'number' ? writeShare(value) : value);
const bake: Change = (value) => (isObject(value) ? change(value, { min: duration, max: duration }) : duration(value));
const approval: Change = (value) => change(value, { within: duration, remindEvery: duration });

/** What is null is measured, and left out as it was when written. */
function policy(value: unknown): unknown {
  if (!isObject(value)) return value;
  const said = Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
  return change(said, {
    alpha: share,
    beta: share,
    ceiling: share,
    margin: share,
    maxHold: duration,
    remindEvery: duration,
  });
}

function alarm(value: unknown): unknown {
  if (!isObject(value) || !('kind' in value)) return value;
  const { name, kind, alarm: of } = value;
  return { name, [String(kind)]: of };
}

function probe(value: unknown): unknown {
  if (!isObject(value) || !('kind' in value)) return value;
  const { kind, payload, url, method, headers, body, ...rest } = value;
  const call = kind === 'http' ? { http: defined({ url, method, headers, body }) } : { invoke: defined({ payload }) };
  return change({ ...rest, ...call }, { latency: duration, every: duration });
}

function metric(value: unknown): unknown {
  if (!isObject(value) || !('kind' in value)) return value;
  const { name, kind, latency, dryRun, ...rest } = value;
  const source = change(rest, { every: duration, window: duration, delay: duration });
  return change(defined({ name, [String(kind)]: source, latency, dryRun }), { latency: duration });
}

function defined(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined));
}
