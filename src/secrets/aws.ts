/** What the stores of AWS share: clients with the driver's credentials, and what their refusals mean. */
import { SluiceError } from '../model/errors.js';
import type { SecretReference } from '../model/secrets.js';
import { clean } from '../model/text.js';
import { type AwsClientOptions, awsClientOptions, awsError } from '../platforms/lambda/driver/index.js';
import { hasCode } from '../platforms/shared/failures.js';
import { denied, missing } from './store.js';

/** Clients by kind and region, made when first asked for. */
export class AwsAccess {
  private readonly known = new Map<string, unknown>();

  constructor(
    private readonly region: string,
    private readonly roleArn?: string,
  ) {}

  client<C>(kind: new (options: AwsClientOptions) => C, region = this.region): C {
    const key = `${kind.name}/${region}`;
    const client = this.known.get(key) ?? new kind(awsClientOptions(region, this.roleArn));
    this.known.set(key, client);
    return client as C;
  }
}

interface Names {
  operation: string;
  /** The permission that reading needs. */
  action: string;
  /** Errors that mean that there is no such secret or version, and that it may not be read. */
  missing: string[];
  denied: string[];
}

/** A failed read as ours. */
export function awsFailure(error: unknown, reference: SecretReference, names: Names): unknown {
  if (error instanceof SluiceError) return error;
  const { name = '', message = '' } = (error ?? {}) as { name?: string; message?: string };
  const said = clean(message === '' ? name : message, 300);
  if (names.missing.includes(name))
    return missing(reference, said.replace(/\.$/, ''), 'create it, or correct the reference');
  if (names.denied.includes(name)) return denied(reference, 'kms:Decrypt', said);
  const ours = awsError(error, names.operation, `secret://${reference.provider}/${reference.name}`);
  return hasCode(ours, 'SLUICE_PERMISSION') && !/AssumeRole/.test(ours.message)
    ? denied(reference, names.action, said)
    : ours;
}

/** What is in another region is named by its ARN. */
export function regionIn(name: string): string | undefined {
  return /^arn:[^:]+:[^:]+:([^:]+):/.exec(name)?.[1];
}
