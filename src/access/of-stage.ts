/** What a rule says about a stage of exactly this name; a stage may be named like a built-in object property. */
export function ofStage<T>({ stages }: { stages: Record<string, T> }, name: string): T | undefined {
  return Object.hasOwn(stages, name) ? stages[name] : undefined;
}
