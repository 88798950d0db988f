/** The operator's policy: who may do what where, and what no spec can go under. YAML, read by the worker. */
import { z } from 'zod';
import { RIGHTS, type Right } from '../model/access.js';
import { SluiceError } from '../model/errors.js';
import { STRATEGIES } from '../model/words.js';
import { duration, type Report, readDocument, strict, writeProblem } from '../spec/index.js';
import { digestOf } from './digest.js';
import { isPublicKey } from './keys.js';

const MINUTE = 60_000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}$/;
const GLOB = /^[A-Za-z0-9*._-]{1,64}$/;

/** Anybody who reaches the namespace, signed or not. */
export const ANYONE = 'anyone';
/** Everybody whom the policy knows. */
export const EVERYONE = 'everyone';

const name = z.string().regex(NAME, 'letters, digits, ".", "_", "-", "+" and "@" only, 63 at most');
const glob = z.string().regex(GLOB, 'a name; * stands for anything');
const who = z.array(z.string().regex(/^@?[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}$/, 'a name, @GROUP, everyone or anyone'));

const person = strict({
  keys: z
    .array(z.string().refine(isPublicKey, 'expected ed25519:… as `sluice key` prints it'))
    .min(1, 'at least one key'),
  groups: z.array(name).prefault([]),
});

const approvals = strict({
  required: z.boolean().prefault(false),
  people: z.int().min(1).max(20).prefault(1),
  notStarter: z.boolean().prefault(false),
  comment: z.boolean().prefault(false),
  within: duration(MINUTE).exactOptional(),
  onTimeout: z.enum(['rollback', 'hold']).exactOptional(),
});

const floors = strict({
  strategies: z.array(z.enum(STRATEGIES)).min(1).exactOptional(),
  bake: duration().prefault('0s'),
  health: z.enum(['required', 'optional']).prefault('optional'),
});

const secrets = strict({
  references: z.array(z.string().min(1).max(500)).min(1),
  for: z.array(z.enum(['environment', 'probe', 'metric', 'webhook'])).exactOptional(),
  hosts: z.array(z.string().min(1).max(255)).exactOptional(),
});

const rule = strict({
  app: glob.prefault('*'),
  environment: glob.prefault('*'),
  allow: z.partialRecord(z.enum(RIGHTS), who).prefault({}),
  stages: z
    .record(z.string().min(1).max(40), strict({ approve: who, people: z.int().min(1).max(20).exactOptional() }))
    .prefault({}),
  approvals: approvals.prefault({}),
  floors: floors.prefault({}),
  secrets: z.array(secrets).prefault([]),
});

const schema = strict({
  people: z.record(name, person).prefault({}),
  rules: z.array(rule).min(1, 'without a rule nobody may do anything'),
});

/** The policy with its defaults. Durations in ms. */
export type Policy = z.output<typeof schema> & {
  /** Of the whole: recorded with each rollout. */
  digest: string;
};
export type Rule = Policy['rules'][number];

/** Reads a policy. Errors: SLUICE_SETUP with every problem, each with file, line and column. */
export function parsePolicy(text: string, file: string): Policy {
  const { value, problems } = readDocument(text, file, schema, strangers);
  if (value !== null) return { ...value, digest: digestOf(value) };
  throw new SluiceError('SLUICE_SETUP', `the policy cannot be used:\n${problems.map(writeProblem).join('\n')}`);
}

/** Names that nobody bears: a mistyped group would silently keep everybody out. And one key is one person. */
function strangers(policy: z.output<typeof schema>, fault: Report): void {
  const people = Object.entries(policy.people);
  const groups = new Set(people.flatMap(([, person]) => person.groups));
  const known = (each: string) =>
    each === ANYONE ||
    each === EVERYONE ||
    (each.startsWith('@') ? groups.has(each.slice(1)) : Object.hasOwn(policy.people, each));
  const look = (path: (string | number)[], list: string[]) => {
    for (const [at, each] of list.entries()) {
      if (!known(each)) fault([...path, at], `${each} is nobody here; people: names every person and their groups`);
    }
  };
  for (const [at, rule] of policy.rules.entries()) {
    for (const [right, list] of Object.entries(rule.allow)) look(['rules', at, 'allow', right], list);
    for (const [stage, { approve }] of Object.entries(rule.stages))
      look(['rules', at, 'stages', stage, 'approve'], approve);
  }
  const owners = new Map<string, string>();
  for (const [name, { keys }] of people) {
    for (const [at, key] of keys.entries()) {
      const other = owners.get(key);
      if (other !== undefined)
        fault(['people', name, 'keys', at], `this key is ${other}'s already; a key is one person`);
      owners.set(key, name);
    }
  }
}

/** Whose statements a right needs when the rule does not list it. */
const INSTEAD: Partial<Record<Right, Right>> = {
  plan: 'start',
  adopt: 'start',
  undo: 'start',
  reject: 'approve',
  resume: 'pause',
};

/** Who has a right by a rule: its own list, else the one it stands in for. An abort is open to everybody the policy knows. */
export function holdersOf(rule: Rule, right: Right, stage?: string): string[] {
  const ofStage = stage !== undefined && (right === 'approve' || right === 'reject') ? rule.stages[stage] : undefined;
  if (ofStage !== undefined && !(right === 'reject' && rule.allow.reject !== undefined)) return ofStage.approve;
  const own = rule.allow[right];
  if (own !== undefined) return own;
  const instead = INSTEAD[right];
  if (instead !== undefined) return holdersOf(rule, instead, stage);
  return right === 'abort' ? [EVERYONE] : [];
}

export function isHolder(holders: string[], subject: { name: string; groups: string[] } | null): boolean {
  return holders.some((each) => {
    if (each === ANYONE) return true;
    if (subject === null) return false;
    return (
      each === EVERYONE || each === subject.name || (each.startsWith('@') && subject.groups.includes(each.slice(1)))
    );
  });
}

/** The first rule that is about the target; without one nobody may do anything there. */
export function ruleFor(policy: Policy, app: string, environment: string): Rule | null {
  return policy.rules.find((rule) => matches(rule.app, app) && matches(rule.environment, environment)) ?? null;
}

function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\-]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(text);
}

/** The people whom a list names, in the policy's order. */
export function namesOf(policy: Policy, holders: string[]): string[] {
  return Object.entries(policy.people)
    .filter(([name, { groups }]) =>
      isHolder(
        holders.filter((each) => each !== ANYONE),
        { name, groups },
      ),
    )
    .map(([name]) => name);
}
