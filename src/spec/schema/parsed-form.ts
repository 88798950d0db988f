/** The schema of a spec whose units are numbers already, derived from the one of what people write: bounds and rules are the same. */
import { z } from 'zod';
import { numberOf } from './parts.js';

const { clone, $ZodArray, $ZodObject, $ZodOptional, $ZodPipe, $ZodPrefault, $ZodRecord, $ZodUnion } = z.core;
/** Kinds that would hold units unseen. */
const UNREAD = [z.core.$ZodDefault, z.core.$ZodLazy, z.core.$ZodNullable, z.core.$ZodTuple];

/**
 * The same shape with a number instead of every text with a unit: ms, percent, shares. A default is the number it means: a
 * spec that an earlier Sluice kept has no value for new fields.
 */
export function parsedForm(written: z.core.$ZodType): z.core.$ZodType {
  const number = numberOf(written);
  // Checks that were added to the text's schema are of its number: a range, whole seconds.
  if (number !== undefined) return number.check(...((written._zod.def.checks ?? []) as z.core.$ZodCheck<number>[]));
  if (written instanceof $ZodObject) {
    const { def } = written._zod;
    const shape = Object.fromEntries(Object.entries(def.shape).map(([key, inner]) => [key, parsedForm(inner)]));
    return clone(written, { ...def, shape });
  }
  if (written instanceof $ZodArray)
    return clone(written, { ...written._zod.def, element: parsedForm(written._zod.def.element) });
  if (written instanceof $ZodRecord)
    return clone(written, { ...written._zod.def, valueType: parsedForm(written._zod.def.valueType) });
  if (written instanceof $ZodUnion)
    return clone(written, {
      ...written._zod.def,
      options: written._zod.def.options.map((option) => parsedForm(option)),
    });
  if (written instanceof $ZodOptional)
    return clone(written, { ...written._zod.def, innerType: parsedForm(written._zod.def.innerType) });
  if (written instanceof $ZodPipe) return clone(written, { ...written._zod.def, in: parsedForm(written._zod.def.in) });
  if (written instanceof $ZodPrefault) {
    const { innerType, defaultValue } = written._zod.def;
    return z._default(parsedForm(innerType), () => z.core.parse(innerType, defaultValue));
  }
  if (UNREAD.some((kind) => written instanceof kind))
    throw new Error(`parsedForm does not read ${written._zod.def.type}; teach it to, or write the schema without it`);
  return written;
}
