/** Which secrets a spec may use, and to which hosts their values may go. Pure. */
import { type MayUse, parseReference, type SecretAsk, type SecretUse, secretName } from '../model/secrets.js';
import { type Policy, ruleFor } from './policy.js';

/** What a policy says of an app in an environment. What no rule covers is refused. */
export interface SecretRule {
  /** Globs on `STORE/NAME`, such as `aws-ssm/shop/*`: `*` stays within a part of the name, `**` does not. */
  references: string[];
  /** What the value may be used for; anything unless given. */
  for?: SecretUse[];
  /**
   * Globs on the hosts that the value may be sent to: `*` stays within a label, `**` does not. With its port where that is not
   * HTTPS's own (`:80`; `:*` is any). None unless given, so that such a rule is for environments alone.
   */
  hosts?: string[];
}

/** What a policy says of any app's secrets. Without one everything is allowed. */
export function mayUseBy(policy: Policy | null): MayUse | undefined {
  if (policy === null) return undefined;
  return (ask) => {
    const rule = ruleFor(policy, ask.app, ask.environment);
    return rule === null ? 'no rule of the policy is about this target' : mayUse(rule.secrets, ask);
  };
}

/** Why the secret may not be used so; null when a rule allows it. */
export function mayUse(rules: readonly SecretRule[], ask: SecretAsk): string | null {
  const reference = parseReference(ask.reference);
  if ('problem' in reference) return `the reference ${reference.problem}`;
  const name = secretName(reference);
  const where = `${ask.app}/${ask.environment}`;
  const named = rules.filter(({ references }) => references.some((glob) => namesMatch(glob, name)));
  if (named.length === 0) return `no rule of ${where} covers ${name}`;
  const used = named.filter((rule) => rule.for === undefined || rule.for.includes(ask.use));
  if (used.length === 0) return `the rules of ${where} do not allow ${name} as a secret of kind ${ask.use}`;
  if (ask.use === 'environment') return null;
  const hosts = used.flatMap((rule) => rule.hosts ?? []);
  if (hosts.length === 0) return `the rules of ${where} allow ${name} to be sent to no host`;
  // Asked again with the host, before anything is sent.
  if (ask.host === null) return null;
  const { host } = ask;
  return hosts.some((glob) => hostMatches(glob, host))
    ? null
    : `the rules of ${where} do not allow ${name} to be sent to ${host}`;
}

function namesMatch(glob: string, name: string): boolean {
  // Key Vault tells no letters of either case apart, and the reference's name is in lower case already.
  const written = name.startsWith('azure-keyvault/') ? glob.toLowerCase() : glob;
  return matches(written, name, '[^/]');
}

/** What a host may look like, with its port; everything else matches nothing. */
const HOST = /^(?<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])\.?(?::(?<port>\d{1,5}))?$/;
const GLOB = /^(?<name>[a-z0-9*_.-]+|\[[0-9a-f:.]+\])(?::(?<port>\d{1,5}|\*))?$/;

/** Whether a host, as a URL has it, is one of those that the glob names. */
export function hostMatches(glob: string, host: string): boolean {
  const wanted = GLOB.exec(glob.toLowerCase())?.groups;
  const given = HOST.exec(host.toLowerCase())?.groups;
  if (wanted === undefined || given === undefined) return false;
  const port = wanted.port === '*' || (wanted.port ?? '') === (given.port ?? '');
  return port && matches((wanted.name ?? '').replace(/\.$/, ''), given.name ?? '', '[^.]');
}

/** The whole text: `*` is any number of `one`, `**` of any signs. */
function matches(glob: string, text: string, one: string): boolean {
  const parts = glob.split(/(\*\*|\*)/).map((part) => {
    if (part === '**') return '.*';
    return part === '*' ? `${one}*` : part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 's').test(text);
}
