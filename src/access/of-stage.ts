/** What a rule says of a stage under this very name; a stage may be called as every object has members. */
export function ofStage<T>({ stages }: { stages: Record<string, T> }, name: string): T | undefined {
  return Object.hasOwn(stages, name) ? stages[name] : undefined;
}
