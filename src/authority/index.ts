/** The worker's side of access: its policy, its key, and what it grants by them. */
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { LateRecord, UndoBegun } from '../../workflows/messages.js';
import {
  ANYONE,
  audienceOf,
  digestOf,
  EVERYONE,
  holdersOf,
  namesOf,
  openVerbs,
  type Policy,
  placeFaults,
  planFaults,
  type ReadBy,
  type Rule,
  raised,
  ruleAt,
  ruleFor,
  specFaults,
} from '../access/index.js';
import type { AccessRecord, Beginning, MessageAnswer, StartStatement, WorkerIdentity } from '../model/access.js';
import { SluiceError } from '../model/errors.js';
import { HELPER } from '../model/helper.js';
import { companionId, parseMark, parseRolloutId, TASK_QUEUE } from '../model/ids.js';
import type { RolloutInput, Spec } from '../model/spec.js';
import type { RolloutType } from '../model/words.js';
import type { TargetState } from '../strategies/registry.js';
import type { Plan } from '../strategies/types.js';
import { checkBeginning, checkFloors, checkUnused, consume, notAllowed } from './begin.js';
import { certifier } from './certifying.js';
import { type DecideArgs, decide, type Supersede } from './decide.js';
import { Envelopes } from './envelopes.js';
import { Grants, gateIn } from './grants.js';
import { Issuers } from './issuers.js';
import { originOf } from './origin.js';
import { Seals } from './seals.js';

export type { DecideArgs, Message } from './decide.js';
export type { Asking } from './grants.js';

export interface AccessOptions {
  /** Null: everything is open. */
  policy: Policy | null;
  /** Base64 keys for grants, the first one seals. */
  keys: string[];
  /** Targets (`app/environment`) written under a policy that the operator gives back to workers without one. */
  openTargets?: string[];
}

/** What the account's activities need of it. */
export interface AccountAccess extends Pick<Access, 'mayRetire' | 'mayTakeBack' | 'heed' | 'heedful' | 'policed'> {
  readonly grants: Grants;
  /** How many people must approve a step of a plan, where the policy enforces it. */
  peopleFor(spec: Spec, plan: Plan): (stepId: string) => number;
  /** Names of the people who may approve each stage. */
  approversFor(spec: Spec, plan: Plan): Record<string, string[]>;
  /** The plan as strict as the policy asks for, and where spec or plan are under a floor of it. `before` as the plan was made by it. */
  bounded(spec: Spec, plan: Plan, before: TargetState): { plan: Plan; faults: string[] };
}

/** A beginning as `parse` sees it. */
interface Begins {
  app: string;
  environment: string;
  type: RolloutType;
  input: RolloutInput;
  spec: Spec;
  /** Undo: the version to roll back to. */
  version?: string;
}

/** What a rollout leaves with the companion, with a worker's seal. */
interface Kept {
  app: string;
  environment: string;
  version: string;
  spec: RolloutInput;
  /** When it was left, ms since the epoch. */
  since?: number;
  seal?: string | null;
}

/** An entry of the ledger, as far as it is sealed. */
interface Entry {
  app: string;
  environment: string;
  version: string;
  run: string;
  /** Digest of its spec's document. */
  spec: string | null;
}

/** What a run says that it asks of the companion. */
interface Asked {
  app: string;
  environment: string;
  run: string;
  undo: Pick<UndoBegun, 'by' | 'hold' | 'seal'> & { keepQueue?: boolean };
}

/** How far clocks of workers and server may be apart, in ms. */
const SKEW = 60_000;

/** A release that is handed to the companion. */
interface Submits {
  app: string;
  environment: string;
  type: RolloutType;
  input: RolloutInput;
  mode: 'queue' | 'replace';
  spec: () => Spec;
}

export class Access implements AccountAccess {
  readonly grants: Grants;
  private readonly seals: Seals;
  private readonly envelopes: Envelopes;
  private readonly issuers = new Issuers();

  constructor(private readonly options: AccessOptions) {
    this.seals = new Seals(options.keys);
    this.grants = new Grants(this.seals);
    this.envelopes = new Envelopes(options.keys);
  }

  /** Whether this worker has a policy. */
  get policed(): boolean {
    return this.options.policy !== null;
  }

  /** Whether a mark may be refused. */
  get heedful(): boolean {
    return !this.policed;
  }

  /**
   * A target that was written under a policy is left alone by a worker without one, whenever it began: it checks nobody. Errors:
   * SLUICE_ACCESS. Only the operator takes that off, by the worker's own setting; what a spec says counts for nothing.
   */
  heed(text: string | null): void {
    if (this.policed || text === null) return;
    const mark = parseMark(text);
    if (mark?.policed !== true) return;
    const target = `${mark.app}/${mark.environment}`;
    if (this.options.openTargets?.includes(target) === true) return;
    throw new SluiceError(
      'SLUICE_ACCESS',
      `${target} was written under a policy (its mark says so), and this worker has none, so it writes nothing there. Give every worker the policy (SLUICE_POLICY); to run the target without one from now on, the operator sets SLUICE_OPEN_TARGETS=${target} on a worker`,
    );
  }

  /** What a client must know to log in. A worker that answers falsely gains nothing: a login is for one key and one statement. */
  async identity(): Promise<Omit<WorkerIdentity, 'codecKeys'>> {
    const { policy } = this.options;
    const logins = (policy?.logins ?? []).map(({ issuer, clientId, scopes, name, groups }) => {
      const claims = [name, ...(name === 'email' ? ['email_verified'] : []), groups];
      return { issuer, clientId, scopes, claims };
    });
    return {
      policy: policy?.digest ?? null,
      encryption: await this.envelopes.publicKey(),
      logins,
      robots: Object.keys(policy?.robots ?? {}).length > 0,
    };
  }

  private by(client: Client, policy: Policy): ReadBy {
    const certify = certifier(policy, this.envelopes, this.issuers);
    return { policy, audience: audienceOf(client.options.namespace), now: Date.now(), certify };
  }

  private rule(app: string, environment: string): Rule | null {
    return this.options.policy === null ? null : ruleFor(this.options.policy, app, environment);
  }

  peopleFor(spec: Spec, plan: Plan): (stepId: string) => number {
    const rule = this.rule(spec.app, spec.environment);
    if (rule === null || openVerbs(rule).includes('approve')) return () => 0;
    const steps = plan.stages.flatMap((stage) => stage.steps);
    const people = new Map(steps.map((step) => [step.id, step.kind === 'approve' ? step.approval.people : 0]));
    return (stepId) => people.get(stepId) ?? 0;
  }

  approversFor(spec: Spec, plan: Plan): Record<string, string[]> {
    const { policy } = this.options;
    const rule = this.rule(spec.app, spec.environment);
    if (policy === null || rule === null) return {};
    const signed = !openVerbs(rule).includes('approve');
    const approvers = plan.stages.flatMap(({ name: stage, steps }) =>
      steps.flatMap((step): [string, string[]][] => {
        if (step.kind !== 'approve') return [];
        const holders = holdersOf(ruleAt(rule, { ...step, stage }), 'approve', stage);
        // Where it must be signed, anyone is everyone who can.
        const all = signed && holders.includes(ANYONE) ? [...holders, EVERYONE] : holders;
        return [[stage, namesOf(policy, all)]];
      }),
    );
    return Object.fromEntries(approvers);
  }

  bounded(spec: Spec, plan: Plan, before: TargetState): { plan: Plan; faults: string[] } {
    const rule = this.rule(spec.app, spec.environment);
    if (rule === null) return { plan, faults: [] };
    return { plan: raised(plan, rule), faults: [...specFaults(spec, rule), ...planFaults(plan, rule, before)] };
  }

  /** In `parse`: who begins, whether he may, and the first grant. Errors: SLUICE_ACCESS. */
  async begin(client: Client, begins: Begins): Promise<{ spec: Spec; access: AccessRecord }> {
    const { policy } = this.options;
    if (policy === null && !this.grants.on) {
      return { spec: begins.spec, access: { policy: null, starter: null, open: [], grant: null } };
    }
    const { app, environment, input, type, version } = begins;
    const here = await placeOf(client);
    if (here.continuedFrom !== null) throw notAllowed('refused: a run that continues another starts nothing');
    if (here.delayed) throw notAllowed('refused: a delayed start; a signed one starts at once');
    const act = actOf(here.type, here.workflowId, begins);
    const rule = this.rule(app, environment);
    const beginner = { app, environment, strategy: type, act, input, ...(version === undefined ? {} : { version }) };
    // Signed in time is what was valid when the server took it, however long no worker came.
    const now = Math.min(here.startedAt, Date.now());
    const signed = policy === null ? null : await checkBeginning(beginner, { ...this.by(client, policy), rule, now });
    if (rule !== null) (act === 'plan' || act === 'moveCallers' ? checkPlace : checkFloors)(begins.spec, rule);
    if (signed !== null && act !== 'plan') await consume(client, this.seals, { id: signed.id, run: here.runId });
    const starter = signed?.subject.name ?? null;
    const spec: Spec = starter === null ? begins.spec : { ...begins.spec, startedBy: starter };
    const grant = await this.grants.first({
      workflow: here.workflowId,
      run: here.runId,
      first: here.first,
      app,
      environment,
      starter,
      policy: policy?.digest ?? null,
      ...(act === 'undo' ? { undo: { hold: input.hold === true, keepQueue: input.keepQueue === true } } : {}),
      openOverride: rule === null || holdersOf(rule, 'override').includes(ANYONE),
      spec,
      ...(MAY[act] === undefined ? {} : { may: MAY[act] }),
    });
    return {
      spec,
      access: { policy: policy?.digest ?? null, starter, open: rule === null ? [] : openVerbs(rule), grant },
    };
  }

  /**
   * Whether a release may be handed to the companion, before it takes another's place, and who signed that; null when nobody had
   * to. Consumes nothing. Errors: SLUICE_ACCESS.
   */
  async admit(client: Client, of: Submits): Promise<string | null> {
    const { policy } = this.options;
    if (policy === null) return null;
    const { app, environment, type, input, mode } = of;
    const beginner = { app, environment, strategy: type, act: 'start', input } as const;
    const by = { ...this.by(client, policy), rule: this.rule(app, environment) };
    const signed = await checkBeginning(beginner, by).catch((error: unknown) => {
      // A person waits for the answer, and can say it again.
      if (error instanceof SluiceError && error.code === 'SLUICE_PROVIDER') throw notAllowed(error.message);
      throw error;
    });
    if (by.rule !== null) checkFloors(of.spec(), by.rule);
    if (signed === null) return null;
    const { replaces = false } = signed.statement as StartStatement;
    if (mode === 'replace' && !replaces)
      throw notAllowed(`refused: ${signed.subject.name} signed a release that waits, not one that replaces another`);
    await checkUnused(client, signed.id);
    return signed.subject.name;
  }

  /** What people say to a run that has a grant. */
  async decide(client: Client, args: DecideArgs): Promise<MessageAnswer[]> {
    await this.grants.allow('decide', args);
    const { policy } = this.options;
    const { messages } = args;
    if (policy === null) {
      return messages.map(({ verb, by }) => ({ ok: false, verb, by, why: 'this worker has no policy to check it by' }));
    }
    const grant = await this.grants.read(args.grant);
    const given = this.rule(grant.app, grant.environment);
    // What a run says of its gate is not believed, but what the grant of its plan says.
    const gate = args.gate === null ? null : gateIn(grant, args.gate);
    const rule = given === null || gate === null ? given : ruleAt(given, gate.facts);
    const { grants, seals } = this;
    return decide({ ...args, gate: gate?.view ?? null }, { ...this.by(client, policy), rule, grants, seals, grant });
  }

  /** The grant for the run that a rollout has continued as. Errors: SLUICE_ACCESS for any other run. */
  async renew(client: Client, given: string): Promise<string | null> {
    const grant = await this.grants.read(given);
    const here = await placeOf(client);
    if (here.continuedFrom !== grant.run || here.workflowId !== grant.workflow) {
      throw notAllowed(`refused: this run of ${here.workflowId} does not continue run ${grant.run}`);
    }
    return this.grants.carried(grant, here.runId);
  }

  /** A record for the companion that later activities believe. */
  async sealRecord(record: {
    app: string;
    environment: string;
    version: string;
    spec: RolloutInput;
    since: number;
  }): Promise<string | null> {
    const { app, environment, version, spec, since } = record;
    return this.seals.make('record', { app, environment, version, spec: digestOf(spec), since });
  }

  /** Whether the companion's record was written by a rollout. Errors: SLUICE_ACCESS. */
  async believe(record: Kept): Promise<void> {
    if (!this.seals.on) return;
    const { app, environment, version, spec, since, seal } = record;
    const found = await this.seals.open<Omit<Kept, 'spec'> & { spec: string }>('record', seal);
    const same =
      found?.app === app &&
      found.environment === environment &&
      found.version === version &&
      found.since === since &&
      found.spec === digestOf(spec);
    if (!same) throw notAllowed(`the record of ${app}/${environment} was not written by a rollout, so it is not used`);
  }

  /** An entry of the ledger that an undo believes later. */
  async sealEntry(of: Entry): Promise<string | null> {
    const { app, environment, version, run, spec } = of;
    return this.seals.make('entry', { app, environment, version, run, spec });
  }

  /** Whether a worker has sealed this entry of the ledger. */
  async isSealed(entry: Entry & { seal: string | null }): Promise<boolean> {
    if (!this.seals.on) return true;
    const found = await this.seals.open<Entry>('entry', entry.seal);
    return (
      found !== null &&
      (['app', 'environment', 'version', 'run', 'spec'] as const).every((at) => found[at] === entry[at])
    );
  }

  /** What a rolled-back first deployment reports to the companion, through the run itself. Errors: SLUICE_ACCESS. */
  async sealLate(given: string | null, late: LateRecord): Promise<LateRecord> {
    if (!this.seals.on) return late;
    const { spec, looks } = late;
    await this.grants.allow('tellCompanion', { grant: given, spec });
    const { app, environment, first: run, stable } = await this.grants.read(given);
    if (stable !== null) throw notAllowed('refused: the target of this run already existed');
    const seal = await this.seals.make('late', { app, environment, run, spec: digestOf(spec) });
    return { app, environment, run, spec, looks, seal };
  }

  /** Whether the companion may take back what this run has left. Errors: SLUICE_ACCESS. */
  async mayTakeBack(client: Client | undefined, { app, environment, run, spec, seal }: LateRecord): Promise<void> {
    if (!this.seals.on) return;
    const here = client === undefined ? null : await placeOf(client);
    if (here?.type !== 'companion' || here.workflowId !== companionId(app, environment))
      throw notAllowed(`refused: only the companion of ${app}/${environment} removes what appears late`);
    const found = await this.seals.open<Record<string, unknown>>('late', seal);
    const same = found?.app === app && found.environment === environment && found.run === run;
    if (!same || found.spec !== digestOf(spec))
      throw notAllowed(`the record of ${app}/${environment} was not written by a rollout, so it is not used`);
  }

  /** What an undo asks of the companion, as its start was checked. Errors: SLUICE_ACCESS. */
  async sealUndo(given: string | null, undo: UndoBegun): Promise<UndoBegun> {
    if (!this.seals.on) return undo;
    await this.grants.allow('tellCompanion', { grant: given });
    const { app, environment, first: run, starter, undo: asked } = await this.grants.read(given);
    if (asked === undefined) throw notAllowed('refused: this run is not an undo');
    const by = starter ?? undo.by;
    return { ...undo, ...asked, by, seal: await this.seals.make('undo', { app, environment, run, by, ...asked }) };
  }

  /** Whether an undo of this run asks the companion for that. */
  async isUndo({ app, environment, run, undo }: Asked): Promise<boolean> {
    if (!this.seals.on) return true;
    const found = await this.seals.open<Record<string, unknown>>('undo', undo.seal);
    return (
      found?.app === app &&
      found.environment === environment &&
      found.run === run &&
      found.by === undo.by &&
      found.hold === undo.hold &&
      (undo.keepQueue === undefined || found.keepQueue === undo.keepQueue)
    );
  }

  /** Who releases a target that `run` holds; null when nobody had to sign. Errors: SLUICE_ACCESS. */
  async admitUnhold(client: Client, of: { app: string; environment: string; run: string; token: string | null }) {
    const { policy } = this.options;
    if (policy === null) return null;
    const { app, environment, run, token } = of;
    const input = token === null ? {} : { token };
    const beginner = { app, environment, strategy: 'undo', act: 'unhold', input, version: run } as const;
    const signed = await checkBeginning(beginner, {
      ...this.by(client, policy),
      rule: this.rule(app, environment),
    });
    if (signed === null) return null;
    await consume(client, this.seals, { id: signed.id, run });
    return signed.subject.name;
  }

  /**
   * Whether old releases may be deleted on this record: the companion asks, and the rollback window is over. Errors:
   * SLUICE_ACCESS.
   */
  async mayRetire(client: Client | undefined, record: Pick<Kept, 'version' | 'since' | 'seal'> & { spec: Spec }) {
    if (!this.seals.on) return;
    const { spec, since = 0, ...rest } = record;
    const { app, environment, rollbackWindow } = spec;
    const here = client === undefined ? null : await placeOf(client);
    if (here?.type !== 'companion' || here.workflowId !== companionId(app, environment))
      throw notAllowed(`refused: only the companion of ${app}/${environment} deletes its old releases`);
    await this.believe({ ...rest, since, app, environment, spec: { ...spec } });
    const until = since + rollbackWindow;
    if (Date.now() + SKEW < until)
      throw notAllowed(`refused: the rollback window is open until ${new Date(until).toISOString()}`);
  }

  /** The companion's word to a run that a newer release takes its place; null without a key. */
  async sealSupersede(of: Supersede): Promise<string | null> {
    return this.seals.make('supersede', of);
  }
}

/** The calling run, as the server knows it. Errors: SLUICE_ACCESS for a run made by Reset or of someone else's workflow. */
async function placeOf(client: Client) {
  const { workflowExecution } = Context.current().info;
  if (workflowExecution === undefined) throw notAllowed('refused: it runs outside a workflow');
  const origin = await originOf(client, workflowExecution);
  if (origin === null) throw notAllowed('refused: the server does not know the run that asks');
  if (origin.reset) {
    throw notAllowed(
      `refused: run ${workflowExecution.runId} of ${workflowExecution.workflowId} was made by Reset, and a release is not repeated. Start a new rollout; \`sluice sweep\` finds a target that was left split`,
    );
  }
  if (origin.taskQueue !== TASK_QUEUE)
    throw notAllowed(`refused: it runs on task queue ${origin.taskQueue}, not on ${TASK_QUEUE}`);
  if (origin.eager)
    throw notAllowed('refused: its starter also took its tasks, bypassing the workers (an eager start)');
  return { ...workflowExecution, ...origin };
}

/** What a short workflow may do. */
const MAY: Partial<Record<Beginning, string[]>> = {
  plan: ['inspect', 'callers'],
  adopt: ['claim'],
  moveCallers: ['callers', 'moveCallers'],
};

/** Checks the target before a plan is shown with the floors that it breaks: only targets of the rule. Errors: SLUICE_ACCESS. */
function checkPlace({ app, environment, target }: Spec, rule: Rule): void {
  const faults = placeFaults(target, rule);
  if (faults.length > 0) throw notAllowed(`plan ${app}/${environment} is refused: ${faults.join('; ')}`);
}

/** What a workflow of this type and id begins. Errors: SLUICE_ACCESS when it begins nothing. */
function actOf(type: string, workflowId: string, { app, environment, type: strategy }: Begins): Beginning {
  if (type === HELPER) return 'plan';
  if (type === 'moveCallers') return 'moveCallers';
  if (type === 'adoptTarget') return 'adopt';
  const id = parseRolloutId(workflowId);
  if (type !== strategy || id?.app !== app || id.environment !== environment) {
    throw notAllowed(
      `refused: workflow ${workflowId} of type ${type} is not a ${strategy} rollout of ${app}/${environment}`,
    );
  }
  return strategy === 'undo' ? 'undo' : 'start';
}
