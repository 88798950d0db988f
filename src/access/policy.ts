/** The operator's policy: who may do what where, and the floors for every spec. YAML, read by the worker. */
import { z } from 'zod';
import { type AccessRecord, RIGHTS, type Right } from '../model/access.js';
import { SluiceError } from '../model/errors.js';
import { isProvider, SECRET_PROVIDERS } from '../model/secrets.js';
import type { Report, Target } from '../model/spec.js';
import { targetName } from '../model/target.js';
import { STRATEGIES, VERBS } from '../model/words.js';
import { duration, readDocument, strict, writeProblem } from '../spec/index.js';
import { digestOf } from './digest.js';
import { isPublicKey } from './keys.js';
import { issuer, login, ROBOT, robot } from './logins.js';
import { ofStage } from './of-stage.js';

const MINUTE = 60_000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}$/;
const GLOB = /^[A-Za-z0-9*._-]{1,64}$/;

/** Anyone who reaches the namespace, signed or not. */
export const ANYONE = 'anyone';
/** Everyone in the policy. */
export const EVERYONE = 'everyone';
/** What these two mean in a list. Nobody bears their names, in letters of either case. */
const RESERVED: ReadonlyMap<string, string> = new Map([
  [ANYONE, 'signed or not'],
  [EVERYONE, 'all whom the policy knows'],
]);

const name = z.string().regex(NAME, 'letters, digits, ".", "_", "-", "+" and "@" only, 63 at most');
const glob = z.string().regex(GLOB, 'a name; * stands for anything');
const who = z.array(
  z
    .string()
    .regex(/^(?:@|robot:)?[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}$/, 'a name, @GROUP, robot:NAME, everyone or anyone'),
);

const person = strict({
  keys: z.array(z.string().refine(isPublicKey, 'expected ed25519:… as `sluice key` prints it')).prefault([]),
  /** What the login's claim says of this person; null: he has none. */
  login: z.string().min(1).max(200).nullable().exactOptional(),
  /** Which of several logins says it. */
  issuer: issuer.exactOptional(),
  groups: z.array(name).prefault([]),
});

const REFERENCE_FORM = `expected STORE/NAME without secret://, such as aws-ssm/checkout/*; stores are ${SECRET_PROVIDERS.join(', ')}`;

/** Whether a rule about secrets can be about any: its store is one, or has a * for it. */
function isReferencePattern(pattern: string): boolean {
  const [store = ''] = pattern.split('/');
  return store.includes('*') || isProvider(store);
}

/** YAML reads 100% as a text and 100 as a number, which no stage is called. */
function isStage(name: string): boolean {
  const [, weight, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(name) ?? [];
  return weight === undefined || (percent === '%' && Number(weight) > 0 && Number(weight) <= 100);
}

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
  bypass: z.enum(['allowed', 'forbidden']).prefault('allowed'),
});

const secrets = strict({
  references: z.array(z.string().min(1).max(500).refine(isReferencePattern, REFERENCE_FORM)).min(1),
  for: z.array(z.enum(['environment', 'probe', 'metric', 'webhook'])).exactOptional(),
  hosts: z.array(z.string().min(1).max(255)).exactOptional(),
});

const rule = strict({
  app: glob.prefault('*'),
  environment: glob.prefault('*'),
  targets: z
    .array(
      z
        .string()
        .max(300)
        .regex(/^(?:\*|.+\/.+)$/, 'expected ACCOUNT/TARGET, such as default/checkout:live'),
    )
    .exactOptional(),
  /** Roles that a spec may have assumed for its target. None unless given. */
  roles: z.array(z.string().min(1).max(300)).exactOptional(),
  allow: z.partialRecord(z.enum(RIGHTS), who).prefault({}),
  stages: z
    .record(
      z.string().min(1).max(40).refine(isStage, 'no stage can have this name; write a weight as 100%'),
      strict({ approve: who, people: z.int().min(1).max(20).exactOptional() }),
    )
    .prefault({}),
  approvals: approvals.prefault({}),
  floors: floors.prefault({}),
  secrets: z.array(secrets).prefault([]),
});

const schema = strict({
  people: z.record(name, person).prefault({}),
  logins: z.array(login).max(5).prefault([]),
  robots: z.record(name, robot).prefault({}),
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
  const { value, problems } = readDocument(text, file, schema, faults);
  if (value !== null) return { ...value, digest: digestOf(value) };
  throw new SluiceError('SLUICE_SETUP', `the policy cannot be used:\n${problems.map(writeProblem).join('\n')}`);
}

function faults(policy: z.output<typeof schema>, fault: Report): void {
  reserved(policy, fault);
  strangers(policy, fault);
  doubles(policy, fault);
  shortHanded(policy, fault);
}

/** Groups that a login may map people to. */
function mappedGroups({ logins }: Pick<z.output<typeof schema>, 'logins'>): Set<string> {
  return new Set(logins.flatMap(({ mapGroups }) => Object.values(mapGroups)));
}

/** Gates that ask for more people than there are to open them. How many a login's group has, nobody knows here. */
function shortHanded(policy: z.output<typeof schema>, fault: Report): void {
  const { people } = policy;
  const mapped = mappedGroups(policy);
  const uncounted = (each: string) =>
    each === ANYONE || each.startsWith(ROBOT) || (mapped.size > 0 && (each === EVERYONE || mapped.has(each.slice(1))));
  for (const [at, { allow, stages, approvals }] of policy.rules.entries()) {
    const look = (path: string[], approve: string[], needed: number) => {
      if (approve.length === 0 || approve.some(uncounted)) return;
      const able = Object.entries(people).filter(([name, { groups }]) => isHolder(approve, { name, groups }));
      if (able.length >= needed) return;
      const who = able.map(([name]) => name).join(', ');
      fault(
        ['rules', at, ...path],
        `${needed} people must approve here and only ${able.length} can (${who}); it could never be approved`,
      );
    };
    look(['allow', 'approve'], allow.approve ?? [], approvals.people);
    for (const [name, { approve, people: own = 1 }] of Object.entries(stages)) {
      look(['stages', name, 'approve'], approve, Math.max(own, approvals.people));
    }
  }
}

/** Whether a name means others in a list. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name.toLowerCase());
}

/** A person or group of this name would let everyone in. */
function reserved({ people, logins }: z.output<typeof schema>, fault: Report): void {
  const look = (path: (string | number)[], name: string) => {
    const means = RESERVED.get(name.toLowerCase());
    if (means === undefined) return;
    fault(path, `${name.toLowerCase()} means ${means} in a list and cannot name a person or a group; use another name`);
  };
  for (const [name, { groups }] of Object.entries(people)) {
    look(['people', name], name);
    for (const [at, group] of groups.entries()) look(['people', name, 'groups', at], group);
  }
  for (const [at, { mapGroups }] of logins.entries()) {
    for (const [theirs, ours] of Object.entries(mapGroups)) look(['logins', at, 'mapGroups', theirs], ours);
  }
}

/** Names that nobody has: a mistyped group would silently lock everyone out. */
function strangers(policy: z.output<typeof schema>, fault: Report): void {
  const people = Object.entries(policy.people);
  const groups = new Set([...people.flatMap(([, person]) => person.groups), ...mappedGroups(policy)]);
  const known = (each: string) =>
    each === ANYONE ||
    each === EVERYONE ||
    (each.startsWith('@')
      ? groups.has(each.slice(1))
      : each.startsWith(ROBOT)
        ? Object.hasOwn(policy.robots, each.slice(ROBOT.length))
        : Object.hasOwn(policy.people, each));
  const look = (path: (string | number)[], list: string[]) => {
    for (const [at, each] of list.entries()) {
      if (known(each)) continue;
      const where = each.startsWith(ROBOT) ? 'not a robot in robots:' : 'neither a person nor a group in people:';
      fault([...path, at], `${each} is ${where}`);
    }
  };
  for (const [at, rule] of policy.rules.entries()) {
    for (const [right, list] of Object.entries(rule.allow)) look(['rules', at, 'allow', right], list);
    for (const [stage, { approve }] of Object.entries(rule.stages))
      look(['rules', at, 'stages', stage, 'approve'], approve);
  }
}

/** One person is one in a quorum: a key and a login are one person's, and who has a key says what his login is. */
function doubles({ people, logins }: z.output<typeof schema>, fault: Report): void {
  const owners = new Map<string, string>();
  const own = (what: string, name: string, path: (string | number)[], word: string) => {
    const other = owners.get(what);
    if (other !== undefined) fault(path, `this ${word} already belongs to ${other}; give each person their own`);
    owners.set(what, name);
  };
  const issuers = logins.map((each) => each.issuer);
  for (const [at, each] of issuers.entries()) {
    if (issuers.indexOf(each) < at) fault(['logins', at, 'issuer'], 'this issuer is already listed');
  }
  const maps = logins.some(({ mapGroups }) => Object.keys(mapGroups).length > 0);
  for (const [name, { keys, login: said, issuer: by }] of Object.entries(people)) {
    const at = ['people', name];
    for (const [index, key] of keys.entries()) own(key, name, [...at, 'keys', index], 'key');
    if (keys.length === 0 && typeof said !== 'string') fault(at, 'neither a key nor a login; give keys: or login:');
    if (by !== undefined && !issuers.includes(by)) fault([...at, 'issuer'], 'no login in logins: has this issuer');
    if (maps && said === undefined) {
      fault(at, 'a login maps groups, so this person could count twice; set login:, or login: null for none');
    }
    if (typeof said !== 'string') continue;
    if (issuers.length === 0) fault([...at, 'login'], 'there is no login; logins: names where people log in');
    if (issuers.length > 1 && by === undefined) fault([...at, 'login'], 'there are several logins; set issuer:');
    own(`${by ?? issuers[0]} ${said.toLowerCase()}`, name, [...at, 'login'], 'login');
  }
}

/** Whose statements a right needs when the rule does not list it. */
const INSTEAD: Partial<Record<Right, Right>> = {
  plan: 'start',
  adopt: 'start',
  undo: 'start',
  hold: 'undo',
  unhold: 'hold',
  reject: 'approve',
  resume: 'pause',
};

/**
 * Who has a right under a rule: the rule's own list, or the right it defaults to. An abort is open to everyone in the policy.
 * `stage` is a name in the rule; for an approval of a plan, the rule must come from `ruleAt`.
 */
export function holdersOf(rule: Rule, right: Right, stage?: string): string[] {
  const decides = right === 'approve' || right === 'reject';
  const staged = decides && stage !== undefined ? ofStage(rule, stage) : undefined;
  if (staged !== undefined && !(right === 'reject' && rule.allow.reject !== undefined)) return staged.approve;
  const own = rule.allow[right];
  if (own !== undefined) return own;
  const instead = INSTEAD[right];
  if (instead !== undefined) return holdersOf(rule, instead, stage);
  return right === 'abort' ? [EVERYONE] : [];
}

/** A robot is named only in full. */
export function isHolder(holders: string[], subject: { name: string; groups: string[]; robot?: true } | null): boolean {
  return holders.some((each) => {
    if (each === ANYONE) return true;
    if (subject === null) return false;
    if (each === subject.name) return true;
    if (subject.robot === true) return false;
    return each === EVERYONE || (each.startsWith('@') && subject.groups.includes(each.slice(1)));
  });
}

/** Verbs that need no signature in the whole of a rollout, so a decision only where no stage's list is narrower. */
export function openVerbs(rule: Rule): AccessRecord['open'] {
  const open = (right: Right, stage?: string) => holdersOf(rule, right, stage).includes(ANYONE);
  const stages = Object.keys(rule.stages);
  const verbs = VERBS.filter((verb) => verb !== 'undo');
  return [...verbs, 'override' as const].filter((right) => open(right) && stages.every((stage) => open(right, stage)));
}

/** The first rule that is about the target; without one nobody may do anything there. */
export function ruleFor(policy: Policy, app: string, environment: string): Rule | null {
  return policy.rules.find((rule) => matches(rule.app, app) && matches(rule.environment, environment)) ?? null;
}

/** A target at its provider, as a rule names it. */
export function placeOf(target: Target): string {
  return `${target.account}@${target.region}/${targetName(target)}`;
}

/**
 * Whether a rule is about a target: `ACCOUNT/TARGET`, such as `default/checkout:live`, in any region, or with it
 * `ACCOUNT@REGION/TARGET`. Any target unless it says which.
 */
export function mayTouch({ targets }: Rule, target: Target): boolean {
  const anywhere = `${target.account}/${targetName(target)}`;
  return (
    targets === undefined ||
    targets.some((pattern) => matches(pattern, pattern.includes('@') ? placeOf(target) : anywhere))
  );
}

/** Whether a role may be assumed for a target. None unless the rule says which. */
export function mayAssume({ roles = [] }: Rule, role: string): boolean {
  return roles.some((pattern) => matches(pattern, role));
}

/** `*` in a pattern matches anything. */
export function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\-]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(text);
}

/** The names in a list: people in the policy's order, groups that a login maps, and robots. */
export function namesOf(policy: Policy, holders: string[]): string[] {
  const mapped = mappedGroups(policy);
  const people = Object.entries(policy.people)
    .filter(([name, { groups }]) =>
      isHolder(
        holders.filter((each) => each !== ANYONE),
        { name, groups },
      ),
    )
    .map(([name]) => name);
  return [
    ...people,
    ...holders.filter((each) => each.startsWith(ROBOT) || (each.startsWith('@') && mapped.has(each.slice(1)))),
  ];
}
