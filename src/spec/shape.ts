/**
 * A complete spec in the shape of what people write, its values as they are: probes, metrics and alarms by their kind, and without
 * what is null because it is measured. Takes any value: what is not as a spec has it is passed on for the schema to refuse.
 */
export function writtenShape(spec: Record<string, unknown>): Record<string, unknown> {
  const { specSchema: _, ...rest } = spec;
  return change(rest, {
    // A stage may have limits of its own.
    strategy: (strategy) => change(strategy, { stages: list((stage) => change(stage, { health: withoutNull })) }),
    health: (health) =>
      change(health, { probes: list(probe), metrics: list(metric), alarms: list(alarm), judge: withoutNull }),
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

function list(by: Change): Change {
  return (value) => (Array.isArray(value) ? value.map(by) : value);
}

function withoutNull(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
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
  return { ...rest, ...call };
}

function metric(value: unknown): unknown {
  if (!isObject(value) || !('kind' in value)) return value;
  const { name, kind, latency, dryRun, ...source } = value;
  return defined({ name, [String(kind)]: source, latency, dryRun });
}

function defined(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined));
}
