/** The worker's side of access: its policy, its key, and what it grants by them. */
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import {
  ANYONE,
  audienceOf,
  digestOf,
  holdersOf,
  namesOf,
  type Policy,
  planFaults,
  type ReadBy,
  type Rule,
  raised,
  ruleFor,
  type Signed,
  specFaults,
} from '../../src/access/index.js';
import type { AccessRecord, Beginning, MessageAnswer, StartStatement, WorkerIdentity } from '../../src/model/access.js';
import { SluiceError } from '../../src/model/errors.js';
import { parseRolloutId, TASK_QUEUE } from '../../src/model/ids.js';
import type { RolloutInput, Spec } from '../../src/model/spec.js';
import { VERB_TABLE } from '../../src/model/verbs.js';
import type { MessageVerb, RolloutType } from '../../src/model/words.js';
import type { Plan } from '../../src/plan/types.js';
import { checkBeginning, checkFloors, checkUnused, consume, notAllowed } from './begin.js';
import { certifier } from './certifying.js';
import { type DecideArgs, decide, type Supersede } from './decide.js';
import { Envelopes } from './envelopes.js';
import { Grants } from './grants.js';
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
}

/** What the account's activities need of it. */
export interface AccountAccess extends Pick<Access, 'believe'> {
  readonly grants: Grants;
  /** How many people must approve a step of a plan, where the policy enforces it. */
  peopleFor(spec: Spec, plan: Plan): (stepId: string) => number;
  /** Who may approve each stage, by name. */
  approversFor(spec: Spec, plan: Plan): Record<string, string[]>;
  /** The plan as strict as the policy asks for, and where spec or plan are under a floor of it. */
  bounded(spec: Spec, plan: Plan): { plan: Plan; faults: string[] };
}

/** A beginning as `parse` sees it. */
interface Begins {
  app: string;
  environment: string;
  type: RolloutType;
  input: RolloutInput;
  spec: Spec;
  /** Undo: the version it goes back to. */
  version?: string;
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

  /** What a client must know to log in. A worker that answers falsely gains nothing: a login is for one key and one statement. */
  async identity(): Promise<WorkerIdentity> {
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
    return (stepId) => {
      if (rule === null) return 0;
      for (const stage of plan.stages) {
        for (const step of stage.steps) {
          if (step.id !== stepId || step.kind !== 'approve') continue;
          return holdersOf(rule, 'approve', stage.name).includes(ANYONE) ? 0 : step.approval.people;
        }
      }
      return 0;
    };
  }

  approversFor(spec: Spec, plan: Plan): Record<string, string[]> {
    const { policy } = this.options;
    const rule = this.rule(spec.app, spec.environment);
    if (policy === null || rule === null) return {};
    const gated = plan.stages.filter(({ steps }) => steps.some(({ kind }) => kind === 'approve'));
    return Object.fromEntries(gated.map(({ name }) => [name, namesOf(policy, holdersOf(rule, 'approve', name))]));
  }

  bounded(spec: Spec, plan: Plan): { plan: Plan; faults: string[] } {
    const rule = this.rule(spec.app, spec.environment);
    if (rule === null) return { plan, faults: [] };
    return { plan: raised(plan, rule), faults: [...specFaults(spec, rule), ...planFaults(plan, rule)] };
  }

  /** In `parse`: who begins, whether he may, and the first grant. Errors: SLUICE_ACCESS. */
  async begin(client: Client, begins: Begins): Promise<{ spec: Spec; access: AccessRecord }> {
    const { policy } = this.options;
    if (policy === null && !this.grants.on) {
      return { spec: begins.spec, access: { policy: null, starter: null, open: [], grant: null } };
    }
    const { app, environment, input, type, version } = begins;
    const here = await placeOf(client);
    if (here.continuedFrom !== null) throw notAllowed('refused: a run that continues another begins nothing');
    if (here.delayed) throw notAllowed('refused: a delayed start; a signed one begins at once');
    const act = actOf(here.type, here.workflowId, begins);
    const rule = this.rule(app, environment);
    const beginner = { app, environment, strategy: type, act, input, ...(version === undefined ? {} : { version }) };
    // Signed in time is what was valid when the server took it, however long no worker came.
    const now = Math.min(here.startedAt, Date.now());
    const signed = policy === null ? null : await checkBeginning(beginner, { ...this.by(client, policy), rule, now });
    if (act !== 'plan' && rule !== null) checkFloors(begins.spec, rule);
    if (signed !== null && act !== 'plan') await consume(client, signed.id, here.runId);
    const starter = signed?.subject.name ?? null;
    const spec: Spec = starter === null ? begins.spec : { ...begins.spec, startedBy: starter };
    const grant = await this.grants.first({
      workflow: here.workflowId,
      run: here.runId,
      first: here.first,
      app,
      environment,
      starter,
      ...('folder' in spec.release || 'zip' in spec.release ? { code: { signed: releaseOf(signed) } } : {}),
      policy: policy?.digest ?? null,
      openOverride: rule === null || holdersOf(rule, 'override').includes(ANYONE),
      spec,
      ...(act === 'plan' ? { may: ['inspect'] } : act === 'adopt' ? { may: ['claim'] } : {}),
    });
    return { spec, access: { policy: policy?.digest ?? null, starter, open: this.openVerbs(rule), grant } };
  }

  private openVerbs(rule: Rule | null): AccessRecord['open'] {
    if (rule === null) return [];
    const verbs = Object.keys(VERB_TABLE) as MessageVerb[];
    return [...verbs, 'override' as const].filter((right) => holdersOf(rule, right).includes(ANYONE));
  }

  /** Whether a release may be handed to the companion, before it takes another's place. Consumes nothing. Errors: SLUICE_ACCESS. */
  async admit(
    client: Client,
    of: { app: string; environment: string; type: RolloutType; input: RolloutInput; spec: () => Spec },
  ): Promise<void> {
    const { policy } = this.options;
    if (policy === null) return;
    const { app, environment, type, input } = of;
    const beginner = { app, environment, strategy: type, act: 'start', input } as const;
    const by = { ...this.by(client, policy), rule: this.rule(app, environment) };
    const signed = await checkBeginning(beginner, by).catch((error: unknown) => {
      // A person waits for the answer, and can say it again.
      if (error instanceof SluiceError && error.code === 'SLUICE_PROVIDER') throw notAllowed(error.message);
      throw error;
    });
    if (by.rule !== null) checkFloors(of.spec(), by.rule);
    if (signed !== null) await checkUnused(client, signed.id);
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
    const rule = this.rule(grant.app, grant.environment);
    const { grants, seals } = this;
    return decide(args, { ...this.by(client, policy), rule, grants, seals, grant });
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
  }): Promise<string | null> {
    const { app, environment, version, spec } = record;
    return this.seals.make('record', { app, environment, version, spec: digestOf(spec) });
  }

  /** Whether the companion's record was written by a rollout. Errors: SLUICE_ACCESS. */
  async believe(record: {
    app: string;
    environment: string;
    version: string;
    spec: RolloutInput;
    seal?: string | null;
  }) {
    if (!this.seals.on) return;
    const { app, environment, version, spec, seal } = record;
    const found = await this.seals.open<{ app: string; environment: string; version: string; spec: string }>(
      'record',
      seal,
    );
    const same =
      found?.app === app &&
      found.environment === environment &&
      found.version === version &&
      found.spec === digestOf(spec);
    if (!same)
      throw notAllowed(`the record of ${app}/${environment} was not written by a rollout; nothing is done by it`);
  }

  /** The companion's word to a run that a newer release takes its place; null without a key. */
  async sealSupersede(of: Supersede): Promise<string | null> {
    return this.seals.make('supersede', of);
  }
}

/** The run that asks, as the server knows it. Errors: SLUICE_ACCESS for a run made by Reset, or of somebody else's workflow. */
async function placeOf(client: Client) {
  const { workflowExecution } = Context.current().info;
  if (workflowExecution === undefined) throw notAllowed('refused: it is run without a workflow');
  const origin = await originOf(client, workflowExecution);
  if (origin === null) throw notAllowed('refused: the server does not know the run that asks');
  if (origin.reset) {
    throw notAllowed(
      `refused: run ${workflowExecution.runId} of ${workflowExecution.workflowId} was made by Reset, and a release is not done twice. Start a new rollout; \`sluice sweep\` finds a target that was left split`,
    );
  }
  if (origin.taskQueue !== TASK_QUEUE)
    throw notAllowed(`refused: it runs on task queue ${origin.taskQueue}, not on ${TASK_QUEUE}`);
  if (origin.eager) throw notAllowed('refused: who started it also took its tasks, past the workers (an eager start)');
  return { ...workflowExecution, ...origin };
}

function releaseOf(signed: Signed | null): string | null {
  return signed === null ? null : (signed.statement as StartStatement).release;
}

/** What a workflow of this type and id begins. Errors: SLUICE_ACCESS when it begins nothing. */
function actOf(type: string, workflowId: string, { app, environment, type: strategy }: Begins): Beginning {
  if (type === 'planOnly') return 'plan';
  if (type === 'adoptTarget') return 'adopt';
  const id = parseRolloutId(workflowId);
  if (type !== strategy || id?.app !== app || id.environment !== environment) {
    throw notAllowed(
      `refused: workflow ${workflowId} of type ${type} is no ${strategy} rollout of ${app}/${environment}`,
    );
  }
  return strategy === 'undo' ? 'undo' : 'start';
}
