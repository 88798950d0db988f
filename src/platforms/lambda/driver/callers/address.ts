/** What of a function an ARN names. Pure. */

/** The alias or version behind a function's name in an ARN; null: the bare function. Undefined where it is no function's ARN. */
export function qualifierOf(arn: string | undefined): string | null | undefined {
  const found = /:function:[^:]+(?::([^:]+))?$/.exec(arn ?? '');
  return found === null ? undefined : (found[1] ?? null);
}

/** Whether it runs `$LATEST`: the bare name, or `$LATEST` written out. */
export function isBare(arn: string | undefined): boolean {
  const qualifier = qualifierOf(arn);
  return qualifier === null || qualifier === '$LATEST';
}

/** Whether an alias stands between the caller and the code. */
export function isAlias(arn: string | undefined): boolean {
  const qualifier = qualifierOf(arn);
  return typeof qualifier === 'string' && !/^(?:\d+|\$LATEST)$/.test(qualifier);
}
