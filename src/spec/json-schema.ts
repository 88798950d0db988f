/** Makes the JSON Schema of rollout.yaml from the same schemas that check it. */
import { z } from 'zod';
import { written } from './schema/index.js';

type Json = Record<string, unknown>;

/**
 * The JSON Schema of rollout.yaml, for editors and validators; `schema/rollout.schema.json` is this, written to a file.
 * It knows the shape and the defaults, not the rules between fields (rising weights, unique names).
 */
export function jsonSchema(): Json {
  const schema = z.toJSONSchema(written, { io: 'input', unrepresentable: 'any' }) as Json;
  const { $schema, properties, required, ...rest } = schema as Json & { properties: Json; required: string[] };
  return {
    $schema,
    title: 'Sluice rollout.yaml',
    description: 'How one release of a serverless function reaches its users. Durations: 500ms, 30s, 5m, 2h, 1d.',
    ...rest,
    properties: {
      ...(variables(properties) as Json),
      environments: {
        type: 'object',
        description:
          'What differs in each environment, by its name. Mappings are merged; lists, release and a strategy of another type replace.',
        additionalProperties: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/overrides' }] },
      },
    },
    // The environment may be chosen when starting, and each of these may come from an override.
    required: required.filter((key) => key === 'app'),
    $defs: {
      overrides: { ...rest, properties: optional(variables(properties)) },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the description shows a variable
      variable: { type: 'string', pattern: '\\$\\{', description: 'Text with ${VAR} or ${VAR:-default} in it.' },
    },
  };
}

/** The same shape with nothing required and no default: what an override may hold. */
function optional(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(optional);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !(key === 'required' && Array.isArray(inner)) && key !== 'default')
      // Without what is required more than one of several forms may fit.
      .map(([key, inner]) => [key === 'oneOf' ? 'anyOf' : key, optional(inner)]),
  );
}

/** Every field with a form of its own may hold a variable instead, which the client fills in before the form counts. */
function variables(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(variables);
  if (typeof value !== 'object' || value === null) return value;
  const { description, default: fallback, ...form } = value as Json;
  const strict = 'pattern' in form || 'enum' in form || ['number', 'integer', 'boolean'].includes(String(form.type));
  if (!strict) {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, KEPT.includes(key) ? inner : variables(inner)]),
    );
  }
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [form, { $ref: '#/$defs/variable' }],
  };
}

/** Parts that are values, or describe keys. */
const KEPT = ['default', 'required', 'propertyNames'];
