/** The values that must show nowhere: each has random letters of its own, and stands in one place alone. */
import { createPrivateKey, randomBytes, randomInt } from 'node:crypto';
import { type KeyFile, newKey } from '../../src/access/index.js';
import { type Mark, markOf } from './search.js';

/** Secrets of a spec: what each is for, and the store that it is read from. */
export const SECRETS = {
  'environment-ssm': 'secret://aws-ssm/leaks/environment-ssm',
  'environment-secretsmanager': 'secret://aws-secretsmanager/leaks/json#environment-secretsmanager',
  'environment-keyvault': 'secret://azure-keyvault/leaks/environment-keyvault',
  'environment-env': 'secret://env/SLUICE_SECRET_ENVIRONMENT',
  'environment-file': 'secret://file/environment-file',
  'probe-header': 'secret://aws-secretsmanager/leaks/json#probe-header',
  'metric-header': 'secret://azure-keyvault/leaks/metric-header',
  'metric-token': 'secret://file/metric-token',
  'prometheus-token': 'secret://aws-ssm/leaks/prometheus-token',
  'webhook-secret': 'secret://env/SLUICE_SECRET_WEBHOOK',
} as const;
export type SecretName = keyof typeof SECRETS;
/** Those that are written into a release. */
export const IN_RELEASE = (Object.keys(SECRETS) as SecretName[]).filter((name) => name.startsWith('environment-'));

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** Twenty random letters. */
export function letters(): string {
  return Array.from({ length: 20 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}

export interface Marks {
  secrets: Record<SecretName, string>;
  /** Base64, of the worker. */
  grantKey: string;
  digestKey: string;
  awsSecretKey: string;
  azureClientSecret: string;
  people: Record<'ann' | 'ben', KeyFile>;
  /** All of them, for a search. */
  all: Mark[];
}

export function makeMarks(): Marks {
  const all: Mark[] = [];
  /** With signs that JSON, URLs and forms write in their own way. */
  const text = (name: string): string => {
    const core = letters();
    all.push(markOf(name, core));
    return `lk-${name}-${core}"/+&=%`;
  };
  /** Random bytes that people handle as text: as both. */
  const key = (name: string, bytes: Buffer, written: string): string => {
    all.push({ name, cores: [...markOf(name, bytes).cores, ...markOf(name, written).cores] });
    return written;
  };
  const person = (name: string): KeyFile => {
    const file = newKey(name);
    // The last 32 bytes of an Ed25519 key in PKCS 8 are the secret (RFC 8410).
    const secret = createPrivateKey(file.private).export({ type: 'pkcs8', format: 'der' }).subarray(-32);
    key(`key of ${name}`, secret, file.private.split('\n')[1]?.slice(-40) ?? '');
    return file;
  };
  const [grant, digest] = [randomBytes(32), randomBytes(32)];
  return {
    secrets: Object.fromEntries(Object.keys(SECRETS).map((name) => [name, text(name)])) as Record<SecretName, string>,
    grantKey: key('grant key', grant, grant.toString('base64')),
    digestKey: key('digest key', digest, digest.toString('base64')),
    awsSecretKey: text('aws-secret-key'),
    azureClientSecret: text('azure-client-secret'),
    people: { ann: person('ann'), ben: person('ben') },
    all,
  };
}

/** Bearer tokens, by their signatures: the part that nobody else can make. */
export function tokenMarks(tokens: Iterable<string>): Mark[] {
  return [...tokens].map((token) => markOf('bearer token of Azure', token.split('.')[2] ?? token));
}
